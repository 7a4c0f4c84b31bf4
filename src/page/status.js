// The line to the server, as people see it: nothing while it is up, a countdown while it is not.

import { home, keepFocus } from "./focus.js";
import { phrase } from "./phrase.js";
import { loginAddress } from "./site.js";

/** What is said of the line, by the keys of phrases. */
const WORDS = { down: "line.down", between: "line.between", out: "line.out", offline: "line.offline" };

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
      if (!this.#line.hidden) this.#tell(phrase("line.back"));
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
    const words = phrase(WORDS[state]);
    if (this.#text.textContent !== words) this.#text.textContent = words;
    this.#login.hidden = state !== "out";
    this.#now.hidden = state === "out";
    const seconds = Math.ceil((until - Date.now()) / 1000);
    this.#count.textContent = ["down", "between"].includes(state) && seconds > 0 ? phrase("line.in", { seconds }) : "";
    // The tab that polls may be hidden, and its clock slow.
    if (seconds < -1 && !document.hidden) {
      this.#shown.until = Date.now() + 5_000;
      this.#prod();
    }
  }
}
