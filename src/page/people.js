// Who is here: the count beneath the room's name, and the list.

import { avatar, element, icon } from "./element.js";
import { builtAgain, home, keepFocus, twinOf } from "./focus.js";
import { TIMES } from "./operator.js";
import { byName } from "./order.js";
import { phrase } from "./phrase.js";
import { lasting } from "./rule.js";
import { full, lately } from "./time.js";
import { people } from "./wire.js";

/** The shortest time between two looks, in milliseconds, however many come and go. */
const PAUSE = 2_000;

/** How long after an attempt that failed it asks again, in milliseconds, if the server names no longer time. */
const AGAIN = 5_000;

export class People {
  #room;
  #me;
  #operator;
  #opened = null;
  /** In the order of their names; `null` before the server has told. */
  #people = null;
  #stale = true;
  #timer = null;
  #asked = 0;

  /** `me()` is the reader's name, and `operator` knows what the reader may do with others. */
  constructor(room, me, operator) {
    this.#room = room;
    this.#me = me;
    this.#operator = operator;
    document.addEventListener("visibilitychange", () => this.#stale && this.look());
    this.look();
  }

  get names() {
    return (this.#people ?? []).map(({ name }) => name);
  }

  /** Somebody came or went: asks who is here, `pause` milliseconds after it last did. */
  look(pause = PAUSE) {
    this.#stale = true;
    if (this.#timer !== null || document.hidden) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#ask();
      },
      this.#asked + pause - Date.now(),
    );
  }

  async #ask() {
    this.#stale = false;
    this.#asked = Date.now();
    try {
      const here = await people(this.#room);
      this.#people = here.sort((a, b) => byName(a.name, b.name));
    } catch (error) {
      this.#stale = true;
      // The line says why. What is refused for good is asked again only when somebody comes or the tab is shown.
      if (!error.status || error.passing || error.foreign) this.look(Math.max(AGAIN, error.retryAfter ?? 0));
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
        { "data-name": name },
        avatar(name),
        element("bdi", {}, name),
        name === me && element("span", { class: "tag" }, phrase("people.you")),
        element("span", { class: "since", title: phrase("people.since", { time: full(since) }) }, lately(since)),
        ...(this.#operator.is && name !== me ? this.#choices(name) : []),
      ),
    );
    const barred = this.#operator.barred.map(({ name, kind }) => this.#barredRow(name, kind));
    const list = document.getElementById("people-list");
    keepFocus(
      () => list.replaceChildren(...rows, ...barred),
      (lost) => this.#heir(lost, list),
    );
  }

  /** What has the focus instead of something in a row that was built again, or went away. */
  #heir(lost, list) {
    const row = lost.closest("li");
    if (row === null) return home();
    const again = builtAgain(row, list);
    return (again && twinOf(lost, row, again)) ?? list.querySelector("button") ?? home();
  }

  /** What an operator may do with a person who is here. */
  #choices(name) {
    const opened = this.#opened === name;
    const toggle = () => {
      this.#opened = opened ? null : name;
      this.show();
    };
    const label = phrase("people.more", { name });
    const more = element("button", { type: "button", class: "icon more", "aria-expanded": String(opened), "aria-label": label, on: { click: toggle } }, icon("more"));
    if (!opened) return [more];
    const times = TIMES.map((time) => element("option", { value: time }, time ? lasting(time) : phrase("people.always")));
    const choice = element("select", { "aria-label": phrase("people.for") }, ...times);
    const act = (what, key, label) => {
      const click = () => {
        this.#opened = null;
        this.#operator.does(what, { name, for: Number(choice.value) || null });
        this.show();
      };
      return element("button", { type: "button", "aria-label": phrase(label, { name }), on: { click } }, phrase(key));
    };
    return [more, element("div", { class: "options" }, choice, act("mute", "people.mute", "people.mute.label"), act("remove", "people.remove", "people.remove.label"))];
  }

  #barredRow(name, kind) {
    const click = () => this.#operator.does("allow", { name });
    return element(
      "li",
      { "data-name": name, class: "barred" },
      avatar(name),
      element("bdi", {}, name),
      element("span", { class: "tag" }, phrase(kind === "muted" ? "people.muted" : "people.removed")),
      element("button", { type: "button", class: "link", "aria-label": phrase("people.allow.label", { name }), on: { click } }, phrase("people.allow")),
    );
  }
}
