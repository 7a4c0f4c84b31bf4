// What one writes in this tab, and what one has said in it last.
//
// Each tab has its own. What a tab that closes was writing is left for the next one in that room.

import { keep, keepHere, keysUnder, recall, recallHere } from "./kept.js";

/** How many of one's last messages the Up key brings back. */
const RECALLED = 30;

export class Draft {
  #room;
  #left;

  constructor(room) {
    this.#room = room;
    const chance = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.#left = `draft/${room}/${chance}`;
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && keep(this.#left, null));
  }

  /** What this tab was writing before it was loaded again, or one that has closed. */
  find() {
    const left = recallHere(`left/${this.#room}`);
    if (left !== null) keep(left, null);
    return recallHere(`draft/${this.#room}`) ?? this.#adopt() ?? "";
  }

  write(text) {
    keepHere(`draft/${this.#room}`, text === "" ? null : text);
  }

  /** The last that was said in this tab, oldest first. */
  get said() {
    return recallHere(`said/${this.#room}`, []);
  }

  say(text) {
    const others = this.said.filter((said) => said !== text);
    keepHere(`said/${this.#room}`, [...others, text].slice(-RECALLED));
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
