// One reader's way through a room: each message once, in order.
//
// Cursors are opaque: a reader can see that two differ, but not which is later. A reader takes what the hub has heard
// if that follows on its own cursor; if not, it asks the server itself.

import { poll } from "./wire.js";

export class Track {
  #room;
  #next;
  #take;
  #ask;
  #asking = false;
  #heard = [];
  #compared = null;
  #ended = false;

  /**
   * A way from the cursor `next` on. `take({messages, gap})` gets new messages; `ask` asks the server, as `poll`
   * does.
   */
  constructor(room, next, take, ask = poll) {
    this.#room = room;
    this.#next = next;
    this.#take = take;
    this.#ask = ask;
  }

  /** The cursor up to which the reader has everything. */
  get next() {
    return this.#next;
  }

  /** Takes nothing more. */
  end() {
    this.#ended = true;
  }

  /**
   * The hub has everything up to this position, and will tell what comes after it. If the reader is elsewhere, it
   * may lack something: it asks once for each position.
   */
  compare(position) {
    if (position === this.#next || position === this.#compared) return;
    this.#catchUp(position);
  }

  /** The hub has heard messages, which follow on the position `after`. */
  news(word) {
    if (this.#asking) this.#heard.push(word);
    else if (!this.#follow(word)) this.#catchUp(word.next);
  }

  /** Takes what follows on the reader's cursor. Gives whether the reader is now where the hub is. */
  #follow({ after, messages, next, gap }) {
    const known = messages.findIndex(({ id }) => id === this.#next);
    // What a gap has left is for the server to say: the reader may have other messages than the hub.
    if (gap) return false;
    if (after === this.#next) this.#advance({ messages, next, gap });
    else if (known >= 0) this.#advance({ messages: messages.slice(known + 1), next, gap });
    return this.#next === next;
  }

  #advance({ messages, next, gap }) {
    if (this.#ended) return;
    this.#next = next;
    this.#take({ messages, gap });
  }

  /** Asks the server for everything after the reader's cursor, and so for all up to this position. */
  async #catchUp(position) {
    if (this.#asking || this.#ended) return;
    this.#asking = true;
    try {
      for (let there = false; !there && !this.#ended; ) {
        this.#heard = [];
        const reply = await this.#ask([this.#room], { after: this.#next, wait: 0 });
        this.#advance(reply);
        // In a lively room the hub has heard more meanwhile, which follows on the answer.
        for (const word of this.#heard) this.#follow(word);
        const end = this.#heard.at(-1)?.next ?? position;
        there = this.#next === end || reply.messages.length + this.#heard.length === 0;
      }
      this.#compared = position;
    } catch {
      // The hub sees the same fault. Its next word compares again.
    } finally {
      this.#asking = false;
    }
  }
}
