// What the writer writes about: the message that is being edited.

/** The longest line of another message, in characters. */
const LONG = 200;

export class Subject {
  #bar = document.getElementById("subject");
  #what = document.getElementById("subject-what");
  #line = document.getElementById("subject-line");
  #send = document.getElementById("send");
  #edited = null;

  /** `cancel()` is called when the reader wants none any more. */
  constructor(cancel) {
    document.getElementById("subject-cancel").addEventListener("click", cancel);
  }

  get isThere() {
    return !this.#bar.hidden;
  }

  /** The message that is being edited, or null. */
  get edited() {
    return this.#edited;
  }

  edit(message) {
    this.#edited = message;
    this.#show("Edit your message", lineOf(message.text));
  }

  clear() {
    this.#edited = null;
    this.#show("", "");
  }

  #show(what, line) {
    this.#what.textContent = what;
    this.#line.textContent = line;
    this.#bar.hidden = what === "";
    this.#send.setAttribute("aria-label", this.#edited ? "Save" : "Send");
  }
}

/** A text as one line. */
export function lineOf(text) {
  return text.slice(0, LONG).replace(/\s+/g, " ").trim();
}
