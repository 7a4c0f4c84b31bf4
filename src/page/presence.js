// People who came and went one after another: one line, however many they are, that opens.

import { element } from "./element.js";
import { listOf, phrase, phraseParts } from "./phrase.js";
import { timeOf } from "./stamp.js";

/** The most that an open line lists, from the last on. */
const LISTED = 200;

/** From this many on the line opens; fewer are named in it. */
const OPENS = 3;

/** What becomes of people, by the keys of phrases. */
const BECAME = { joined: "presence.joined", back: "presence.back", by: "presence.by", left: "presence.left" };

/** The messages that stand in lines which a reader has opened. The lines stay open when they are built again. */
const opened = new WeakSet();

export function isPresence(item) {
  return item?.kind === "joined" || item?.kind === "left";
}

export class Presence {
  row = element("li", { class: "row presence" });
  #messages = [];
  #ways = new Map();
  /** What became of each person in the end, by the key of its phrase. One who left and joined again came back. */
  #people = new Map(Object.values(BECAME).map((what) => [what, new Set()]));
  #line = element("p");
  #list = null;

  /** Takes the same time however many there are. Call `show` after it. */
  add(message) {
    const { kind } = message;
    const name = message.name ?? phrase("someone");
    this.row.dataset.id ??= message.id;
    this.#messages.push(message);
    const before = this.#ways.get(name);
    const first = before?.first ?? kind;
    const what = first === kind ? BECAME[kind] : kind === "joined" ? BECAME.back : BECAME.by;
    if (before && before.what !== what) this.#people.get(before.what).delete(name);
    this.#people.get(what).add(name);
    this.#ways.set(name, { first, what });
  }

  show() {
    if (this.#list === null && this.#messages.length >= OPENS) this.#open();
    this.#line.replaceChildren(...this.#words());
    if (!this.row.contains(this.#line)) this.row.append(this.#line);
    if (this.#list?.parentElement.open) this.#fill();
  }

  #open() {
    // The browser tells that it was toggled a little later, and the row may be built anew before that.
    this.#line = element("summary", { on: { click: () => this.#keep(!details.open) } });
    this.#list = element("ul");
    const details = element("details", { on: { toggle: () => this.#toggled(details.open) } });
    details.append(this.#line, this.#list);
    details.open = this.#messages.some((message) => opened.has(message));
    this.row.replaceChildren(details);
  }

  #toggled(open) {
    this.#keep(open);
    if (open) this.#fill();
  }

  #keep(open) {
    for (const message of this.#messages) open ? opened.add(message) : opened.delete(message);
  }

  #fill() {
    const listed = this.#messages.slice(-LISTED);
    const earlier = this.#messages.length - listed.length;
    const rows = listed.map(({ name, kind, at }) =>
      element("li", {}, ...sentence(BECAME[kind], [name ?? phrase("someone")]), " ", timeOf(at)),
    );
    if (earlier > 0) rows.unshift(element("li", {}, phrase("presence.earlier", { count: earlier })));
    this.#list.replaceChildren(...rows);
  }

  #words() {
    const parts = [];
    for (const [what, names] of this.#people) {
      if (names.size === 0) continue;
      if (parts.length > 0) parts.push(" · ");
      parts.push(...sentence(what, [...names]));
    }
    return parts;
  }
}

/** What became of these people. */
function sentence(what, names) {
  const count = names.length;
  const [first, ...others] = names.slice(0, 2).map((name) => element("bdi", {}, name));
  const many = () => phraseParts("presence.others", { name: first, count: count - 1 });
  return phraseParts(what, { count, names: count > 2 ? many() : listOf([first, ...others]) });
}
