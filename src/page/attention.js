// Read and unread messages: the title, the icon, the marker and the button to the end.

import { keepFocus } from "./focus.js";
import { isMuted, markRead, onFollowed, openRoom, readUpTo } from "./followed.js";
import { watch } from "./kept.js";
import { phrase } from "./phrase.js";
import { onTopic, shownRoom } from "./private.js";
import { shown } from "./unread.js";

export class Attention {
  #room;
  #log;
  #unread = 0;
  #elsewhere = 0;
  #started = false;
  #wasAtEnd = false;
  #title = document.title;
  #icon = document.getElementById("icon");
  #readIcon = this.#icon.href;
  #down = document.getElementById("down");
  #count = document.getElementById("down-count");

  constructor(room, log, scroller) {
    this.#room = room;
    this.#log = log;
    this.#down.addEventListener("click", () => {
      log.toEnd();
      keepFocus(() => this.look(), () => scroller);
    });
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#turn());
    openRoom(room);
    onFollowed(() => this.#tell());
    onTopic(() => {
      this.#title = `${shownRoom(room)} · comet-chat`;
      this.#tell();
    });
    // Another tab has shown all of this room.
    watch(`read/${room}`, (id) => id === log.newest?.id && this.#set(0));
  }

  /**
   * Marks where the reader stopped, and goes there. `reach(id)` loads the messages after it into the log, and gives
   * the first of them.
   */
  async start(reach) {
    const unread = await this.#missed(readUpTo(this.#room), reach);
    if (unread.length > 0) this.#park(unread);
    this.#started = true;
    this.look();
  }

  async #missed(read, reach) {
    if (read === null || !this.#log.newest) return [];
    if (this.#log.has(read)) return this.#log.saidAfter(read);
    const first = await reach(read);
    return first === null ? [] : this.#log.saidFrom(first);
  }

  /** New messages of others. Those that do not fit into view are unread, even while the reader looks. */
  came(messages) {
    const inLog = messages.filter(({ id }) => this.#log.has(id));
    if (inLog.length > 0) {
      if (!this.#reading) this.#add(inLog);
      else if (!this.#log.shows(inLog[0].id)) this.#park(inLog);
    }
    this.look();
  }

  #add(messages) {
    if (this.#unread === 0) this.#log.mark(messages[0].id);
    this.#set(this.#unread + messages.length);
  }

  /** Goes to the first unread message. */
  #park(messages) {
    this.#add(messages);
    this.#log.toMarker();
  }

  /** The reader has answered: everything is read. */
  spoke() {
    this.#log.mark(null);
    this.#set(0);
  }

  /** Marks what is in view as read. */
  look() {
    const { newest, atEnd } = this.#log;
    this.#down.hidden = atEnd;
    if (!this.#reading || !newest) return;
    if (newest.id) markRead(this.#room, newest.id);
    this.#set(0);
  }

  /** The reader looks away or comes back. If the end was in view, it goes to the first unread message. */
  #turn() {
    if (document.hidden) this.#wasAtEnd = this.#log.atEnd;
    else if (this.#unread > 0 && this.#wasAtEnd) this.#log.toMarker();
    if (!document.hidden) openRoom(this.#room);
    this.look();
  }

  get #reading() {
    return this.#started && !document.hidden && this.#log.atEnd;
  }

  /** So many messages are unread in other rooms. */
  set elsewhere(unread) {
    this.#elsewhere = unread;
    this.#tell();
  }

  #set(unread) {
    if (unread === this.#unread) return;
    this.#unread = unread;
    this.#count.hidden = unread === 0;
    this.#count.textContent = shown(unread);
    this.#down.setAttribute(
      "aria-label",
      unread === 0 ? phrase("newest") : phrase("newest.unread", { n: unread, count: shown(unread) }),
    );
    this.#tell();
  }

  /** The title and the icon say how much is unread in all rooms that are not muted. */
  #tell() {
    const unread = this.#elsewhere + (isMuted(this.#room) ? 0 : this.#unread);
    document.title = unread === 0 ? this.#title : `(${shown(unread)}) ${this.#title}`;
    this.#icon.href = unread === 0 ? this.#readIcon : this.#icon.dataset.unread;
  }
}
