// Scrolling up into the room's past.

import { phrase } from "./phrase.js";
import { history, poll } from "./wire.js";

const STEP = 100;

/** How many messages to load at once on the way to where the reader stopped: the most that the server gives. */
const LEAP = 500;

/** How near to the top more history is loaded, in pixels. */
const NEAR = 1_200;

/** How long after a failure the next attempt may be made, in milliseconds. */
const PAUSE = 3_000;

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

export class Past {
  #room;
  #log;
  #own;
  #scroller;
  #edge = document.getElementById("edge");
  #loading = false;
  #beginning = null;
  #failed = 0;

  constructor(room, log, scroller, own) {
    this.#room = room;
    this.#log = log;
    this.#own = own;
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
  }

  /**
   * Loads history back to the first message after this cursor. Gives the id of that message, or null if there is
   * none. The server says which it is: the message at the cursor may be no longer kept, or have another id.
   */
  async reach(cursor) {
    const first = await this.#after(cursor);
    while (first !== null && !this.#log.has(first) && !this.#ended) {
      await this.#load(LEAP);
      if (this.#failed > 0) await pause();
    }
    return first;
  }

  /** Loads history back to the message with this id. Gives whether it is there. */
  async to(id) {
    while (!this.#log.has(id) && this.#log.oldest && !this.#ended) {
      await this.#load(LEAP);
      if (this.#failed > 0) await pause();
    }
    return this.#log.has(id);
  }

  async #after(cursor) {
    for (;;) {
      try {
        const { messages } = await poll([this.#room], { after: cursor, limit: 1, wait: 0, kinds: "message" });
        return messages[0]?.id ?? null;
      } catch (error) {
        if (error.status && !error.passing) return null;
        await pause();
      }
    }
  }

  /** Loads more history if the reader is near the top of the log. */
  async look() {
    const wanted = this.#scroller.scrollTop <= NEAR && !this.#loading && !this.#ended && this.#log.oldest;
    if (!wanted || Date.now() - this.#failed < PAUSE) return;
    await this.#load(STEP);
    if (this.#failed === 0) this.look();
  }

  /** Whether the log begins where the room does. It may have dropped its oldest messages again. */
  get #ended() {
    return this.#beginning !== null && this.#log.oldest?.id === this.#beginning;
  }

  async #load(limit) {
    const { oldest } = this.#log;
    this.#loading = true;
    this.#failed = 0;
    this.#say(phrase("log.loading"));
    try {
      const { messages, previous, gap } = await history(this.#room, oldest.id, limit);
      // A gap means that the server no longer keeps that place: its messages came later.
      for (const message of messages) if (this.#own(message)) message.own = true;
      if (!gap) this.#log.prepend(messages);
      if (previous === null || gap) this.#beginning = this.#log.oldest.id;
      this.#say(this.#ended ? phrase("log.beginning") : "");
    } catch {
      this.#failed = Date.now();
      this.#say(phrase("log.stuck"));
      // A reader at the top can't scroll further up.
      setTimeout(() => this.look(), PAUSE);
    }
    this.#loading = false;
  }

  #say(words) {
    this.#edge.textContent = words;
  }
}
