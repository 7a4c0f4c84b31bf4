// What was read and what was not: the title, the icon, the marker and the way down.

import { keep, recall, watch } from "./kept.js";

export class Attention {
  #room;
  #log;
  #unread = 0;
  #started = false;
  #wasAtEnd = false;
  #title = document.title;
  #down = document.getElementById("down");
  #count = document.getElementById("down-count");

  constructor(room, log, scroller) {
    this.#room = room;
    this.#log = log;
    this.#down.addEventListener("click", () => {
      log.toEnd();
      this.look();
    });
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#turn());
    // Another tab has read this room to its end.
    watch(`read/${room}`, (id) => id === log.newest?.id && this.#set(0));
  }

  /** Marks where the reader left off, and goes there. `reach(id)` brings that message into the log. */
  async start(reach) {
    const read = recall(`read/${this.#room}`);
    if (read !== null && this.#log.newest) await reach(read);
    const unread = this.#log.has(read) ? this.#log.saidAfter(read) : null;
    if (unread) {
      this.#log.mark(unread.id);
      this.#log.toMarker();
    }
    this.#started = true;
    this.look();
  }

  /** Others have said this. */
  came(messages) {
    if (!this.#reading && messages.length > 0) {
      if (this.#unread === 0) this.#log.mark(messages[0].id);
      this.#set(this.#unread + messages.length);
    }
    this.look();
  }

  /** The reader has answered: nothing is new any more. */
  spoke() {
    this.#log.mark(null);
    this.#set(0);
  }

  /** Takes what is in view as read. */
  look() {
    const { newest, atEnd } = this.#log;
    this.#down.hidden = atEnd;
    if (!this.#reading || !newest) return;
    if (newest.id && recall(`read/${this.#room}`) !== newest.id) keep(`read/${this.#room}`, newest.id);
    this.#set(0);
  }

  /** The reader looks away, or back: to where the new begins, if the end was in view. */
  #turn() {
    if (document.hidden) this.#wasAtEnd = this.#log.atEnd;
    else if (this.#unread > 0 && this.#wasAtEnd) this.#log.toMarker();
    this.look();
  }

  get #reading() {
    return this.#started && !document.hidden && this.#log.atEnd;
  }

  #set(unread) {
    this.#unread = unread;
    const shown = unread > 99 ? "99+" : String(unread);
    document.title = unread === 0 ? this.#title : `(${shown}) ${this.#title}`;
    document.getElementById("icon").href = unread === 0 ? "/page/icon.svg" : "/page/icon-unread.svg";
    this.#count.hidden = unread === 0;
    this.#count.textContent = shown;
    this.#down.setAttribute(
      "aria-label",
      unread === 0 ? "To the newest message" : `${shown} new, to the newest message`,
    );
  }
}
