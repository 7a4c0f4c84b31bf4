// The messages of a room that wait in this browser to be stored.
//
// Tabs change them at the same time, without a lock. So each message is one key, which is written once, by the tab in
// which it was written, and removed once it is stored. The outcome of the tries has a key beside it.
//
//   outbox/ROOM/ID     {n, id, text, name, at}           `n` is its place among those that wait; a change of a message
//                                                        has `kind` and `of` too, and an answer `reply_to`, as on
//                                                        the wire
//   outcome/ROOM/ID    {tried, after}                    when it was first tried, and where the room was; or
//                      {failed, taken}                   why it failed, and whether the name was another's; or
//                      {again}                           that it is tried again though it failed; or
//                      {cursor, stored}                  where it is in the room, and when this browser heard so;
//                                                        with `as`, the change that was made before it was first tried
//   revised/ROOM/ID    {id, kind, text}                  what becomes of it: a change, by its id, kind and text. It is made
//                                                        before the first try, or as soon as it is known where it is

import { keep, keysUnder, recall, watchUnder } from "./kept.js";

/** How long it is remembered where a message is that no longer waits: another tab may be editing it. In milliseconds. */
const REMEMBERED = 10 * 60 * 1000;

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
    for (const kind of ["outbox", "outcome", "revised"]) watchUnder(`${kind}/${room}/`, elsewhere);
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

  /** `more` is what a change or an answer has beside its text, and the place of one that is said in the place of another. */
  add(id, text, name, more = {}) {
    // A clock that goes back, or a tab that is loaded again, does not change the order.
    const known = this.all.map(({ n }) => n);
    this.#last = known.reduce((a, b) => Math.max(a, b), Math.max(this.#last, Date.now() - 1)) + 1;
    this.#keep("outbox", id, { n: this.#last, ...more, id, text, name, at: Date.now() });
  }

  /** The message is tried, from now on. `after` is where the room is, and `as` the change with which it is said. */
  tried(id, after, as) {
    if (this.has(id)) this.#keep("outcome", id, { tried: Date.now(), after, as });
  }

  failed(id, reason, taken) {
    if (this.has(id)) this.#keep("outcome", id, { failed: reason, taken, as: this.#outcome(id).as });
  }

  /** A message that failed waits again. */
  again(id) {
    const { failed, as } = this.#outcome(id);
    if (failed !== undefined) this.#keep("outcome", id, { again: true, as });
  }

  /** The message is in the room. */
  stored(id, cursor) {
    this.#keep("outcome", id, { cursor, stored: Date.now() });
    this.#forget();
  }

  /** Where a message is that waits, or waited a short while ago; undefined if nobody knows. */
  cursorOf(id) {
    return this.#outcome(id).cursor;
  }

  /** What is to become of a message once it is stored, or null. */
  revised(id) {
    return recall(this.#key("revised", id));
  }

  revise(id, change) {
    this.#keep("revised", id, change);
  }

  /** The messages of which that is known. */
  get allRevised() {
    return this.#ids("revised");
  }

  /** The order matters: a tried message must not be taken for a new one. */
  remove(id) {
    for (const kind of ["outbox", "revised"]) this.#keep(kind, id, null);
    if (this.cursorOf(id) === undefined) this.#keep("outcome", id, null);
  }

  #outcome(id) {
    return recall(this.#key("outcome", id), {});
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
    const [outcomes, revised] = ["outcome", "revised"].map((kind) => new Set(this.#ids(kind)));
    const now = (written) => {
      const { failed, taken, ...rest } = outcomes.has(written.id) ? this.#outcome(written.id) : {};
      const entry = { ...written, text: rest.as?.text ?? written.text };
      if (revised.has(written.id)) entry.revised = this.revised(written.id);
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
    this.#forget();
    for (const id of this.allRevised) if (!this.has(id) && this.cursorOf(id) === undefined) this.#keep("revised", id, null);
  }

  /** Forgets what became of messages that wait no more. */
  #forget() {
    const waiting = new Set(this.#ids("outbox"));
    for (const id of this.#ids("outcome")) {
      if (waiting.has(id)) continue;
      const { stored } = this.#outcome(id);
      if (!(Date.now() - stored < REMEMBERED)) this.#keep("outcome", id, null);
    }
  }
}
