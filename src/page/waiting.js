// The messages of a room that wait in this browser to be stored.
//
// Tabs change them at the same time, without a lock. So each message is one key, which is written once, by the tab in
// which it was written, and removed once it is stored. The outcome of the tries has a key beside it.
//
//   outbox/ROOM/ID     {n, id, text, name, at}           `n` is its place among those that wait; a change of a message
//                                                        has `kind` and `of` too, and an answer `reply_to`, as on
//                                                        the wire
//   outcome/ROOM/ID    {tried, after}                    when it was first tried, and where the room was; or
//                      {failed, taken}                   why it failed, and whether the name was another's

import { keep, keysUnder, recall, watchUnder } from "./kept.js";

export class Waiting {
  #room;
  #known = new Map();
  #list = null;
  #last = 0;

  /** `changed()` is called when another tab has changed them. */
  constructor(room, changed) {
    this.#room = room;
    this.#tidy();
    const elsewhere = () => {
      this.renew();
      changed();
    };
    watchUnder(`outbox/${room}/`, elsewhere);
    watchUnder(`outcome/${room}/`, elsewhere);
  }

  /** All of them, oldest first, each with its outcome and its state: `sending` or `failed`. */
  get all() {
    this.#list ??= this.#read();
    return [...this.#list];
  }

  /** Reads all again at the next look. */
  renew() {
    this.#list = null;
  }

  has(id) {
    return recall(this.#key("outbox", id)) !== null;
  }

  /** `more` is what a change or an answer has beside its text. */
  add(id, text, name, more = {}) {
    // A clock that goes back, or a tab that is loaded again, does not change the order.
    const known = this.all.map(({ n }) => n);
    this.#last = known.reduce((a, b) => Math.max(a, b), Math.max(this.#last, Date.now() - 1)) + 1;
    this.#keep("outbox", id, { ...more, n: this.#last, id, text, name, at: new Date().toISOString() });
  }

  /** The message is tried, from now on. `after` is where the room is. */
  tried(id, after) {
    if (this.has(id)) this.#keep("outcome", id, { tried: Date.now(), after });
  }

  failed(id, reason, taken) {
    if (this.has(id)) this.#keep("outcome", id, { failed: reason, taken });
  }

  /** A message that failed waits again, as if it were new. */
  again(id) {
    if (recall(this.#key("outcome", id))?.failed !== undefined) this.#keep("outcome", id, null);
  }

  /** The order matters: a tried message must not be taken for a new one. */
  remove(id) {
    this.#keep("outbox", id, null);
    this.#keep("outcome", id, null);
  }

  #key(kind, id) {
    return `${kind}/${this.#room}/${id}`;
  }

  /** The ids that have a key of this kind. */
  #ids(kind) {
    const prefix = this.#key(kind, "");
    return keysUnder(prefix).map((key) => key.slice(prefix.length));
  }

  #read() {
    const known = new Map();
    for (const id of this.#ids("outbox")) {
      const entry = this.#known.get(id) ?? recall(this.#key("outbox", id));
      if (entry?.id === id && typeof entry.text === "string") known.set(id, entry);
    }
    this.#known = known;
    const outcomes = new Set(this.#ids("outcome"));
    const now = (entry) => {
      const outcome = outcomes.has(entry.id) ? recall(this.#key("outcome", entry.id), {}) : {};
      const { failed, taken, ...rest } = outcome;
      if (failed === undefined) return { ...entry, ...rest, state: "sending" };
      return { ...entry, state: "failed", reason: failed, taken: taken === true };
    };
    const ordered = [...known.values()].sort((a, b) => a.n - b.n || (a.id < b.id ? -1 : 1));
    return ordered.map(now);
  }

  #keep(kind, id, value) {
    this.renew();
    keep(this.#key(kind, id), value);
  }

  #tidy() {
    // An earlier page kept one list, which its tabs wrote over each other.
    const old = recall(`outbox/${this.#room}`);
    old?.forEach(({ id, text, name, at, state, reason, tried }, n) => {
      this.#keep("outbox", id, { n, id, text, name, at });
      if (state === "failed") this.#keep("outcome", id, { failed: reason });
      else if (tried) this.#keep("outcome", id, { tried });
    });
    if (old) keep(`outbox/${this.#room}`, null);
    const waiting = new Set(this.#ids("outbox"));
    for (const id of this.#ids("outcome")) if (!waiting.has(id)) this.#keep("outcome", id, null);
  }
}
