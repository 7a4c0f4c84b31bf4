// The text that is being written in this tab.
//
// Each tab has its own. A tab that closes leaves its text for the next tab in that room.

import { keep, keepHere, keysUnder, recall, recallHere } from "./kept.js";

export class Draft {
  #room;
  #left;

  constructor(room) {
    this.#room = room;
    // An earlier page kept what was said, for the Up key.
    keepHere(`said/${room}`, null);
    const chance = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.#left = `draft/${room}/${chance}`;
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && keep(this.#left, null));
  }

  /** The text of this tab before it was reloaded, or of a tab that has closed. */
  find() {
    const left = recallHere(`left/${this.#room}`);
    if (left !== null) keep(left, null);
    return recallHere(`draft/${this.#room}`) ?? this.#adopt() ?? "";
  }

  /** The message that this tab writes about: `{of}` for one that is answered, with the `text` for one that is edited. */
  get subject() {
    return recallHere(`subject/${this.#room}`);
  }

  set subject(subject) {
    keepHere(`subject/${this.#room}`, subject);
  }

  write(text) {
    keepHere(`draft/${this.#room}`, text === "" ? null : text);
  }

  #leave() {
    const text = recallHere(`draft/${this.#room}`);
    if (text === null) return;
    keep(this.#left, { text, at: Date.now() });
    keepHere(`left/${this.#room}`, this.#left);
  }

  #adopt() {
    const drafts = keysUnder(`draft/${this.#room}/`).map((key) => ({ key, ...recall(key) }));
    const [newest] = drafts.sort((a, b) => b.at - a.at);
    if (!newest) return null;
    keep(newest.key, null);
    this.write(newest.text);
    return newest.text;
  }
}
