// The line to the server, as people see it: nothing while it is up, a countdown while it is not.

import { home, keepFocus } from "./focus.js";
import { loginAddress } from "./site.js";

const WORDS = {
  down: "Reconnecting",
  between:
    "Reconnecting: something between here and the server answers in its place, such as a proxy or a network that wants a sign-in.",
  out: "Your session has ended. What you have written is kept.",
  offline: "You are offline. Your messages are sent when you are back.",
};

/** A server that is back within this time was never away, in milliseconds. */
const PATIENCE = 400;

export class Status {
  #line = document.getElementById("line");
  #text = document.getElementById("line-text");
  #count = document.getElementById("line-count");
  #login = document.getElementById("line-login");
  #now = document.getElementById("line-now");
  #timer = null;
  #shown = { state: "up" };
  #prod;
  #tell;

  /**
   * `up()` is called when the server is reached again; `prod()` asks for an attempt now; `tell(words)` is for
   * screen readers.
   */
  constructor(bus, room, { up, prod, tell }) {
    this.#prod = prod;
    this.#tell = tell;
    bus.on("pong", ({ line }) => {
      const same = line.state === this.#shown.state && line.until === this.#shown.until;
      if (same) return;
      const back = line.state === "up" && this.#shown.state !== "up";
      this.#shown = line;
      this.#show();
      if (back) up();
    });
    this.#login.href = loginAddress(room);
    this.#now.addEventListener("click", prod);
  }

  #show() {
    clearInterval(this.#timer);
    const { state } = this.#shown;
    document.body.classList.toggle("down", state !== "up");
    if (state === "up") {
      if (!this.#line.hidden) this.#tell("Connected again.");
      keepFocus(() => (this.#line.hidden = true), home);
      return;
    }
    this.#timer = setInterval(() => this.#tick(), this.#line.hidden ? PATIENCE : 500);
    if (!this.#line.hidden) this.#tick();
  }

  #tick() {
    const { state, until } = this.#shown;
    if (this.#line.hidden) {
      this.#line.hidden = false;
      this.#show();
    }
    this.#line.className = `script ${state}`;
    if (this.#text.textContent !== WORDS[state]) this.#text.textContent = WORDS[state];
    this.#login.hidden = state !== "out";
    this.#now.hidden = state === "out";
    const seconds = Math.ceil((until - Date.now()) / 1000);
    this.#count.textContent = ["down", "between"].includes(state) && seconds > 0 ? `in ${seconds} s` : "";
    // The tab that polls may be hidden, and its clock slow.
    if (seconds < -1 && !document.hidden) {
      this.#shown.until = Date.now() + 5_000;
      this.#prod();
    }
  }
}
