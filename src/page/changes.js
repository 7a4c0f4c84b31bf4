// What became of messages after they were said: another text, or none any more.

import { phrase } from "./phrase.js";

/** How many changes are remembered, for a part of the past that was read before them and comes after them. */
const REMEMBERED = 1_000;

/** Whether an entry of the room changes a message. */
export function isChange({ kind }) {
  return kind === "edited" || kind === "deleted";
}

/** Changes a message as a later entry says. Gives whether it is another now. */
export function makeChange(message, { kind, text, at, operator = false }) {
  // An edit without a text was overtaken by a later one.
  const isOver = kind === "edited" && (text === "" || message.edited > at);
  if (message.deleted || isOver) return false;
  if (kind === "deleted") Object.assign(message, { text: "", file: undefined, deleted: at, operator });
  else Object.assign(message, { text, edited: at, operator });
  return true;
}

/** What a message says, or the name of its file if that says all. */
export function saying({ text, file }) {
  return text === "" && file ? file.name : text;
}

/** What stands in the place of a message without a text; null for one that has its text. */
export function goneWords({ deleted, operator }) {
  if (!deleted) return null;
  return phrase(operator ? "message.deleted.operator" : "message.deleted");
}

/** The changes that this page has heard of. */
export class Changes {
  #heard = new Map();

  /** Whether the entry with this id was heard. */
  has(id) {
    return [...this.#heard.values()].some((entry) => entry.id === id);
  }

  /** Takes a change, and makes it if the message is there. Gives whether the message is another now. */
  hear(entry, message) {
    this.#heard.delete(entry.of);
    this.#heard.set(entry.of, entry);
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > REMEMBERED) this.#heard.delete(oldest);
    return message !== null && makeChange(message, entry);
  }

  /** Makes the changes of a message that was read before they came. */
  catchUp(message) {
    const heard = this.#heard.get(message.id);
    if (heard) makeChange(message, heard);
    return message;
  }
}
