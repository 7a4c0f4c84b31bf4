// The address of a message: /chat/ROOM#CURSOR opens the past there, and the browser's way back leads through it.

import { note } from "./note.js";
import { phrase } from "./phrase.js";
import { messageAt } from "./wire.js";

export class Address {
  #room;
  #log;
  #past;

  constructor(room, log, past) {
    this.#room = room;
    this.#log = log;
    this.#past = past;
    addEventListener("hashchange", () => (location.hash === "" ? log.toEnd() : this.open()));
  }

  /** Goes to the message with this id. */
  go(id) {
    if (location.hash === `#${id}`) this.open();
    else location.hash = id;
  }

  /** Goes to the message that the address names, if it names one. */
  async open() {
    const { hash } = location;
    const id = hash.slice(1);
    if (id === "" || document.getElementById(id)) return;
    const there = this.#log.find(id) ?? (await messageAt(this.#room, id).catch(() => undefined));
    const isThere = there && (await this.#past.to(there.id));
    // The reader has gone elsewhere meanwhile.
    if (location.hash !== hash) return;
    if (isThere) {
      this.#log.light(there.id);
      return;
    }
    note(phrase(there === undefined ? "log.unreached" : "log.gone"));
    this.#log.toEnd();
  }

  /** The reader is at the end of the room again. */
  leave() {
    if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  }
}
