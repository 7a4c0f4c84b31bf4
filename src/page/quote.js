// Quotes: what the message says that another one answers.

import { goneWords, makeChange, saying } from "./changes.js";
import { element } from "./element.js";
import { phrase } from "./phrase.js";
import { messageAt } from "./wire.js";

/** How many messages are asked for at once. A message that is sent always finds a free connection. */
const AT_ONCE = 2;

/** The longest line of a quote, in characters. */
const LONG = 200;

/** A text as one line. */
export function lineOf(text) {
  return text.slice(0, LONG).replace(/\s+/g, " ").trim();
}

/** What a message says, in one line. It is null if it is no longer kept, and undefined while that is not known. */
function wordsOf(message) {
  if (message === undefined) return "…";
  if (message === null) return phrase("message.unkept");
  return goneWords(message) ?? lineOf(saying(message));
}

/** The quote of a message, which leads to it. `name` is who said it, as it is shown. */
export function quoteNode(message, name, open) {
  const who = message ? element("b", { dir: "auto" }, name) : false;
  const words = element("span", { dir: "auto" }, wordsOf(message));
  const label = element("span", { class: "unseen" }, phrase("message.answers"), " ");
  return element("button", { type: "button", class: "quote", on: { click: open } }, label, who, " ", words);
}

export class Quotes {
  #room;
  #log;
  #known = new Map();
  #asked = new Set();
  #queue = [];
  #asking = 0;

  constructor(room, log) {
    this.#room = room;
    this.#log = log;
  }

  /** The message with this id; null if it is no longer kept, and undefined while that is not known. It is asked for then. */
  of(id) {
    const message = this.#log.find(id) ?? this.#known.get(id);
    if (message === undefined && !this.#asked.has(id)) {
      this.#asked.add(id);
      this.#queue.push(id);
      this.#ask();
    }
    return message;
  }

  /** Changes quoted messages as these entries say. */
  change(entries) {
    for (const entry of entries) {
      const message = this.#known.get(entry.of);
      if (message && makeChange(message, entry)) this.#log.refresh(entry.of);
    }
  }

  /** Asks again for those that could not be asked for. */
  again() {
    const missing = [...this.#asked].filter((id) => !this.#known.has(id) && !this.#queue.includes(id));
    if (this.#asking > 0 || missing.length === 0) return;
    this.#queue.push(...missing);
    this.#ask();
  }

  #ask() {
    while (this.#asking < AT_ONCE && this.#queue.length > 0) this.#fetch(this.#queue.shift());
  }

  async #fetch(id) {
    this.#asking += 1;
    try {
      const message = await messageAt(this.#room, id);
      this.#known.set(id, message && this.#log.catchUp(message));
      this.#log.refresh(id);
    } catch {
      // It is asked for again when the server is reached.
    }
    this.#asking -= 1;
    this.#ask();
  }
}
