// Who is here: the count beneath the room's name, and the list.

import { avatar, element } from "./element.js";
import { byName } from "./order.js";
import { phrase } from "./phrase.js";
import { full, lately } from "./time.js";
import { people } from "./wire.js";

/** The shortest time between two looks, in milliseconds, however many come and go. */
const PAUSE = 2_000;

export class People {
  #room;
  #me;
  /** In the order of their names; `null` before the server has told. */
  #people = null;
  #stale = true;
  #timer = null;
  #asked = 0;

  /** `me()` is the reader's name. */
  constructor(room, me) {
    this.#room = room;
    this.#me = me;
    document.addEventListener("visibilitychange", () => this.#stale && this.look());
    this.look();
  }

  get names() {
    return (this.#people ?? []).map(({ name }) => name);
  }

  /** Somebody came or went: asks who is here, soon. */
  look() {
    this.#stale = true;
    if (this.#timer !== null || document.hidden) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#ask();
      },
      this.#asked + PAUSE - Date.now(),
    );
  }

  async #ask() {
    this.#stale = false;
    this.#asked = Date.now();
    try {
      const here = await people(this.#room);
      this.#people = here.sort((a, b) => byName(a.name, b.name));
    } catch {
      // The line says why. It asks again when somebody comes or the tab is shown.
      this.#stale = true;
      return;
    }
    this.show();
  }

  /** Shows the list again, since the reader's name has changed. */
  show() {
    if (this.#people === null) return;
    const count = this.#people.length;
    const words = count === 0 ? phrase("people.nobody") : phrase("people.here", { count });
    const presence = document.getElementById("presence");
    presence.textContent = words;
    presence.classList.toggle("nobody", count === 0);
    document.getElementById("people-title").textContent = phrase("people.count", { count });
    document.getElementById("people-button").setAttribute("aria-label", phrase("people.label", { here: words }));
    const me = this.#me();
    const mine = ({ name }) => (name === me ? 0 : 1);
    const sorted = [...this.#people].sort((a, b) => mine(a) - mine(b));
    const rows = sorted.map(({ name, since }) =>
      element(
        "li",
        {},
        avatar(name),
        element("bdi", {}, name),
        name === me && element("span", { class: "tag" }, phrase("people.you")),
        element("span", { class: "since", title: phrase("people.since", { time: full(since) }) }, lately(since)),
      ),
    );
    document.getElementById("people-list").replaceChildren(...rows);
  }
}
