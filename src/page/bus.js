// What the tabs of one browser tell each other. A tab hears its own words too, as any other's.

const Channel = globalThis.BroadcastChannel;

export class Bus {
  #listeners = new Map();
  #channel = Channel ? new Channel("comet-chat") : null;

  constructor() {
    this.#channel?.addEventListener("message", (event) => this.#deliver(event.data));
  }

  /** Whether this tab hears no other: then each polls for itself. */
  get alone() {
    return this.#channel === null;
  }

  /** Tells every tab. `word.is` says what it is about. */
  post(word) {
    this.#channel?.postMessage(word);
    queueMicrotask(() => this.#deliver(word));
  }

  /** Calls back for every word of a kind. */
  on(is, listener) {
    const listeners = this.#listeners.get(is) ?? [];
    this.#listeners.set(is, [...listeners, listener]);
  }

  #deliver(word) {
    for (const listener of this.#listeners.get(word.is) ?? []) listener(word);
  }
}
