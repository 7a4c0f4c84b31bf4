// What the writer writes about: the message that is being edited, or that is answered.

import { goneWords, saying } from "./changes.js";
import { phrase } from "./phrase.js";
import { lineOf } from "./quote.js";

function whatOf({ own, name }, isEdited) {
  if (isEdited) return own ? phrase("subject.edit") : phrase("subject.edit.of", { name: name ?? phrase("someone") });
  return own ? phrase("subject.answer.own") : phrase("subject.answer", { name: name ?? phrase("someone") });
}

export class Subject {
  #bar = document.getElementById("subject");
  #what = document.getElementById("subject-what");
  #line = document.getElementById("subject-line");
  #send = document.getElementById("send");
  #changed;
  #edited = null;
  #answered = null;

  /** `cancel()` is called when the reader wants none any more, and `changed()` when it is another. */
  constructor(cancel, changed) {
    this.#changed = changed;
    document.getElementById("subject-cancel").addEventListener("click", cancel);
  }

  get isThere() {
    return !this.#bar.hidden;
  }

  /** The message that is being edited, or null. */
  get edited() {
    return this.#edited;
  }

  /** The message that is being answered, or null. */
  get answered() {
    return this.#answered;
  }

  edit(message) {
    this.#set(message, null);
  }

  answer(message) {
    this.#set(null, message);
  }

  clear() {
    this.#set(null, null);
  }

  /** The message with this id is another now. */
  renew(id) {
    if ((this.#edited ?? this.#answered)?.id === id) this.#show();
  }

  #set(edited, answered) {
    this.#edited = edited;
    this.#answered = answered;
    this.#changed();
    this.#show();
  }

  #show() {
    const message = this.#edited ?? this.#answered;
    this.#bar.hidden = message === null;
    this.#what.textContent = message ? whatOf(message, this.#edited !== null) : "";
    this.#line.textContent = message ? (goneWords(message) ?? lineOf(saying(message))) : "";
    this.#send.setAttribute("aria-label", phrase(this.#edited ? "save" : "send"));
  }
}
