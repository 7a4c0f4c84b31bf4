// The mailbox of the busiest room: what lies in it, by the kind of letter. The other rooms have a line each.

import { element } from "./element.js";
import { Rate } from "./rate.js";
import { LETTERS } from "./texts.js";
import { Table } from "./table.js";
import { number } from "./units.js";

/** Over how long the most of a kind is kept, in milliseconds. */
const KEPT = 10_000;

export class Mailbox {
  #letters;
  #others;
  #taken = new Rate();
  #room;
  #seen = [];
  #written = 0;

  constructor(id) {
    this.#letters = new Table(`${id}-mailbox`, { row: "letters", columns: ["most in 10 s", "now"], bars: true });
    this.#letters.caption.append("The room's mailbox");
    this.#others = new Table(`${id}-rooms`, { row: "room", columns: ["wait", "people", "letters"] });
    this.#others.caption.append("Other rooms");
    this.#others.node.hidden = true;
    this.node = element("div", { class: "mailbox" }, this.#letters.node, this.#others.node);
  }

  take({ rooms = [], at }, now) {
    const [room, ...others] = [...rooms].sort((a, b) => weight(b) - weight(a));
    if (room?.room !== this.#room) {
      this.#room = room?.room;
      this.#taken = new Rate();
      this.#seen = [];
    }
    const letters = Object.fromEntries(Object.keys(LETTERS).map((kind) => [kind, room?.mailbox[kind] ?? 0]));
    this.#seen.push({ now, most: { ...letters, ...room?.most } });
    while (this.#seen[0].now < now - KEPT) this.#seen.shift();
    if (room) this.#taken.take(at, room.taken);
    // Letters come and go faster than anybody reads.
    if (now - this.#written < 250) return;
    this.#written = now;
    const peak = (kind) => Math.max(...this.#seen.map(({ most }) => most[kind]));
    const scale = Math.max(10, ...Object.keys(LETTERS).map(peak));
    this.#letters.show(
      Object.entries(LETTERS).map(([kind, label]) => ({
        name: kind,
        label,
        figures: [number(peak(kind)), number(letters[kind])],
        share: peak(kind) / scale,
      })),
    );
    this.#letters.caption.textContent = room
      ? `Mailbox of ${room.room}: ${number(room.waiting)} wait, ${number(room.people)} here, ${number(Math.round(this.#taken.value))} letters a second`
      : "The room's mailbox: no room is awake";
    this.#others.node.hidden = others.length === 0;
    this.#others.show(
      others.map(({ room, waiting, people, mailbox }) => ({
        name: room,
        figures: [waiting, people, sum(mailbox)].map(number),
      })),
    );
  }
}

function weight({ waiting, mailbox }) {
  return waiting + sum(mailbox);
}

function sum(mailbox) {
  return Object.values(mailbox).reduce((sum, letters) => sum + letters, 0);
}
