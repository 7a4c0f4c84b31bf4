// Messages between the tabs of one browser. A tab gets its own messages too.

import { OWN } from "./site.js";

const Channel = globalThis.BroadcastChannel;

export class Bus {
  #listeners = new Map();
  #channel = Channel ? new Channel(OWN) : null;

  constructor() {
    this.#channel?.addEventListener("message", (event) => this.#deliver(event.data));
  }

  /** Whether this tab can't hear the others: then each tab polls for itself. */
  get alone() {
    return this.#channel === null;
  }

  /** Tells every tab. `word.is` is the kind of the message. */
  post(word) {
    this.#channel?.postMessage(word);
    queueMicrotask(() => this.#deliver(word));
  }

  /** Calls back for every message of a kind. */
  on(is, listener) {
    const listeners = this.#listeners.get(is) ?? [];
    this.#listeners.set(is, [...listeners, listener]);
  }

  #deliver(word) {
    for (const listener of this.#listeners.get(word.is) ?? []) listener(word);
  }
}
