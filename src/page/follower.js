// This tab's side of the polling: what it wants, and taking each message once and in order.
//
// Cursors are opaque: a tab can see that two differ, but not which is later. It takes what the hub has
// heard if that follows on its own cursor; if not, it asks the server itself, once.

import { poll } from "./wire.js";

/** If a tab was hidden for longer, its machine may have slept, in milliseconds. */
const NAP = 30_000;

/**
 * How often a tab makes sure that somebody polls, and how long it waits for the answer, in milliseconds.
 * A hidden tab has slow timers, and finds out within 20 s.
 */
const PING = { seen: { every: 5_000, patience: 2_000 }, hidden: { every: 10_000, patience: 5_000 } };

export class Follower {
  #bus;
  #tab;
  #room;
  #next;
  #name;
  #take;
  #silent;
  #ping = null;
  #away = false;
  #asking = false;
  #missed = false;

  /** `take({messages, gap})` gets new messages; `silent()` is called when nobody seems to poll. */
  constructor({ bus, tab, room, next, name, take, silent }) {
    this.#bus = bus;
    this.#tab = tab;
    this.#room = room;
    this.#next = next;
    this.#name = name;
    this.#take = take;
    bus.on("roll", () => this.#want());
    bus.on("pong", (word) => this.#pong(word));
    bus.on("news", (word) => word.room === room && this.#news(word));
    this.#silent = silent;
    this.#watch();
    this.#hear();
    this.#want();
  }

  /** The cursor up to which this tab has everything. */
  get position() {
    return this.#next;
  }

  /** Makes the reader present under this name from now on. */
  rename(name) {
    this.#name = name;
    this.#want();
  }

  /** Makes the hub try again at once. */
  prod() {
    this.#bus.post({ is: "prod" });
  }

  #want() {
    if (this.#away) return;
    this.#bus.post({
      is: "want",
      tab: this.#tab,
      room: this.#room,
      after: this.#next,
      name: this.#name,
      visible: !document.hidden,
    });
  }

  /**
   * Somebody polls: asks again in a while. This is called when the other tab speaks, and not by a timer: in
   * a page that was hidden for long, browsers run a timer that sets timers only once a minute.
   */
  #hear() {
    const { every } = document.hidden ? PING.hidden : PING.seen;
    clearTimeout(this.#ping);
    this.#ping = setTimeout(() => this.#listen(), every);
  }

  /** Asks whether somebody polls. Calls `silent()` if nobody answers. */
  #listen() {
    const { patience } = document.hidden ? PING.hidden : PING.seen;
    clearTimeout(this.#ping);
    this.#bus.post({ is: "ping" });
    // A random part, so that not all tabs take the place at once.
    this.#ping = setTimeout(
      () => {
        this.#hear();
        this.#silent();
      },
      patience * (1 + Math.random() / 2),
    );
  }

  #watch() {
    let hiddenAt = Date.now();
    document.addEventListener("visibilitychange", () => {
      this.#want();
      if (document.hidden) hiddenAt = Date.now();
      else this.#listen();
      // The poll's connection may be dead without a sign.
      if (!document.hidden && Date.now() - hiddenAt > NAP) this.prod();
    });
    addEventListener("pagehide", () => {
      this.#away = true;
      this.#bus.post({ is: "gone", tab: this.#tab });
    });
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.#away = false;
      this.#want();
    });
  }

  /** Messages that only the hub has were lost on the way, or came before this tab opened. */
  #pong({ positions, line }) {
    this.#hear();
    const position = positions.get(this.#room) ?? this.#next;
    if (position !== this.#next && line.state === "up") this.#ask();
  }

  #news({ after, messages, next, gap }) {
    if (this.#asking) {
      this.#missed = true;
      return;
    }
    const known = messages.findIndex((message) => message.id === this.#next);
    if (after === this.#next) this.#advance({ messages, next, gap });
    else if (known >= 0) this.#advance({ messages: messages.slice(known + 1), next, gap: false });
    else this.#ask();
  }

  #advance({ messages, next, gap }) {
    this.#next = next;
    this.#take({ messages, gap });
  }

  /** Asks the server for all messages after this tab's cursor. */
  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      let reply;
      do {
        this.#missed = false;
        reply = await poll(this.#room, { after: this.#next, wait: 0 });
        this.#advance(reply);
      } while (reply.messages.length > 0 || this.#missed);
    } catch {
      // The hub sees the same fault, and says when the server is reached again.
    } finally {
      this.#asking = false;
    }
  }
}
