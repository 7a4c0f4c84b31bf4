// Editing and deleting what one said: from the wish to the change that is on its way.

import { ask } from "./ask.js";
import { phrase } from "./phrase.js";

export class Editing {
  #log;
  #outbox;
  #composer;
  #operates;
  #shown = new Map();

  /** `composer()` gives the form, which asks for what is in `asked`. `operates()` is whether the reader is the operator. */
  constructor(log, outbox, composer, operates) {
    this.#log = log;
    this.#outbox = outbox;
    this.#composer = composer;
    this.#operates = operates;
  }

  get asked() {
    return { change: (message, text) => this.change(message, text), editLast: () => this.#editLast() };
  }

  /** Whether the reader may change it. */
  may({ id, own, deleted }) {
    return (own === true || this.#operates()) && !deleted && this.#outbox.changeOf(id)?.kind !== "deleted";
  }

  edit(message) {
    this.#composer().change(message, this.#textOf(message));
  }

  /** The message gets another text. Without one it is deleted, if the reader means it. */
  async change(message, text) {
    if (text !== "") {
      if (text !== this.#textOf(message)) this.#outbox.change("edited", message, text);
      return;
    }
    const [question, details, yes] = ["delete.question", "delete.details", "message.delete"].map((key) => phrase(key));
    if (!(await ask({ question, details, yes }))) return;
    this.#composer().changed(message.id, true);
    this.#outbox.change("deleted", message);
  }

  /** Shows at the messages which of them are about to change. */
  show() {
    const before = this.#shown;
    const after = new Map(this.#outbox.changes.map(({ of, id, state }) => [of, `${id} ${state}`]));
    this.#shown = after;
    const others = [...before.keys(), ...after.keys()].filter((id) => before.get(id) !== after.get(id));
    if (others.length > 0) this.#log.refresh(...others);
  }

  #editLast() {
    const message = this.#outbox.last ?? this.#log.lastOwn;
    if (message && this.may(message)) this.edit(message);
  }

  /** What it says, or is about to say. */
  #textOf({ id, text }) {
    return this.#outbox.changeOf(id)?.text ?? text;
  }
}
