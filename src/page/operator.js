// The operator of the room, who has a token: it is kept in this browser, once the server has said that it is good.

import { askText } from "./asktext.js";
import { keep, recall, watch } from "./kept.js";
import { note } from "./note.js";
import { phrase } from "./phrase.js";
import { about, decide } from "./wire.js";

/** For how long somebody is muted or removed, in seconds; 0 is until that is taken back. */
export const TIMES = [600, 3_600, 86_400, 0];

export class Operator {
  #room;
  #changed;
  #is = false;
  #barred = [];

  /** `changed()` when the reader becomes the operator or is no more, and when others are muted or removed. */
  constructor(room, changed) {
    this.#room = room;
    this.#changed = changed;
    watch("operator", () => this.renew());
    if (this.#kept) this.renew();
  }

  get #kept() {
    return recall("operator");
  }

  /** Whether the reader is the operator of this room. */
  get is() {
    return this.#is;
  }

  /** By what the server knows that, or null. */
  get token() {
    return this.#is ? this.#kept : null;
  }

  /** Who is muted or removed: `{name, kind}`. */
  get barred() {
    return this.#is ? this.#barred : [];
  }

  /** Asks the server how it is. */
  async renew() {
    try {
      const token = this.#kept;
      const known = token ? await about(this.#room, token) : { operator: false };
      this.#is = known.operator;
      this.#barred = ["muted", "removed"].flatMap((kind) => (known[kind] ?? []).map(({ name }) => ({ name, kind })));
    } catch (error) {
      // The token is good no more; or nobody answers, and it is asked for again with the next change.
      if (error.out) this.#is = false;
    }
    this.#changed();
  }

  /** Asks the reader for the token, and the server whether it is good. */
  ask() {
    const run = async (token) => {
      const isGood = await about(this.#room, token).then(
        ({ operator }) => operator,
        (error) => {
          if (error.out) return false;
          throw error;
        },
      );
      if (!isGood) throw new Error(phrase("operator.wrong"));
      keep("operator", token);
      await this.renew();
    };
    askText({ title: phrase("operator.token"), most: 200, yes: phrase("operator.become"), secret: true, run });
  }

  /** This browser forgets the token. */
  drop() {
    keep("operator", null);
    this.renew();
  }

  /** Decides something: `what` is a place of the room's, such as `mute`. */
  async does(what, fields = {}) {
    try {
      await decide(this.#room, what, fields, this.token);
    } catch (error) {
      note(error.message);
    }
  }
}
