// Which messages of a room are one's own: those that this browser has sent.

import { keep, recall, watch } from "./kept.js";

/** How many own messages of a room the browser remembers as its own. */
const OWN_KEPT = 500;

/** How long it may take until a tab sees what another has kept, in milliseconds. */
const RECENT = 10_000;

export class Own {
  #key;
  #found;
  #own;
  #added = new Map();

  /** `found(cursor)` when a message is known as own. */
  constructor(room, found) {
    this.#key = `own/${room}`;
    this.#found = found;
    this.#own = new Set(recall(this.#key, []));
    watch(this.#key, (own) => this.#learn(own ?? []));
  }

  has(cursor) {
    return this.#own.has(cursor);
  }

  /** This tab has sent it. */
  add(cursor) {
    this.#added.set(cursor, Date.now());
    this.#learn(recall(this.#key, []));
  }

  /**
   * Learns which messages are own, as another tab or the browser says. Tabs write this list at the same
   * time: what this one has added, and another has written over, it adds again.
   */
  #learn(own) {
    const fresh = own.filter((cursor) => !this.has(cursor));
    for (const [cursor, at] of this.#added) if (Date.now() - at > RECENT) this.#added.delete(cursor);
    const lost = [...this.#added.keys()].filter((cursor) => !own.includes(cursor));
    this.#own = new Set([...own, ...lost].slice(-OWN_KEPT));
    if (lost.length > 0) keep(this.#key, [...this.#own]);
    for (const cursor of fresh) this.#found(cursor);
  }
}
