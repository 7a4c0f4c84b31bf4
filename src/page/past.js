// Scrolling up into what was said before.

import { history } from "./wire.js";

const PAGE = 100;

/** How near to the top the next page is asked for, in pixels. */
const NEAR = 1_200;

/** How long after a failure the next attempt may be made, in milliseconds. */
const PAUSE = 3_000;

export class Past {
  #room;
  #log;
  #own;
  #scroller;
  #edge = document.getElementById("edge");
  #loading = false;
  #ended = false;
  #failed = 0;

  constructor(room, log, scroller, own) {
    this.#room = room;
    this.#log = log;
    this.#own = own;
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
  }

  /** Loads a page of history if the reader is near the beginning of what is there. */
  async look() {
    const oldest = this.#log.oldest;
    if (this.#scroller.scrollTop > NEAR || this.#loading || this.#ended || !oldest) return;
    if (Date.now() - this.#failed < PAUSE) return;
    this.#loading = true;
    this.#say("Loading what came before…");
    try {
      const { messages, previous } = await history(this.#room, oldest.id, PAGE);
      this.#ended = previous === null;
      this.#log.prepend(messages.map((message) => ({ ...message, own: this.#own(message) })));
      this.#say(this.#ended ? "The beginning of what is kept" : "");
      this.#loading = false;
      this.look();
    } catch {
      this.#failed = Date.now();
      this.#say("What came before can't be loaded now.");
      this.#loading = false;
    }
  }

  #say(words) {
    this.#edge.textContent = words;
    this.#edge.hidden = words === "";
  }
}
