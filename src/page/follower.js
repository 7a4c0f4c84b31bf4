// This tab's side of the polling: what it wants, and taking each message once and in order.
//
// Cursors are opaque: two can be told apart, but not which is the later. What the hub has heard is
// taken if it follows on what this tab has; if not, the tab asks the server itself, once.

import { poll } from "./wire.js";

/** A tab that was hidden for longer may wake on a machine that slept, in milliseconds. */
const NAP = 30_000;

/**
 * How often a tab makes sure that somebody polls, and how long it waits for the answer, in milliseconds.
 * A hidden one, whose clock is slow, finds out within 20 s.
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

  /** `take({messages, gap})` is given what is new; `silent()` says that nobody seems to poll. */
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

  /** Is present under this name from now on. */
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
   * Somebody polls: asks again in a while. This is called for what the other tab says, and not by a timer:
   * browsers let timers that set timers run once a minute only in a page that was hidden for long.
   */
  #hear() {
    const { every } = document.hidden ? PING.hidden : PING.seen;
    clearTimeout(this.#ping);
    this.#ping = setTimeout(() => this.#listen(), every);
  }

  /** Asks whether somebody polls; who hears nothing says so. */
  #listen() {
    const { patience } = document.hidden ? PING.hidden : PING.seen;
    clearTimeout(this.#ping);
    this.#bus.post({ is: "ping" });
    // Some chance, so that not all tabs take the place at once.
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
      // The poll's connection may be dead, and nobody has noticed.
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

  /** What the hub has and this tab has not was lost on the way, or came before this tab. */
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

  /** Asks the server for all that came after what this tab has. */
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
      // The hub meets the same fault, and says when the line is up again.
    } finally {
      this.#asking = false;
    }
  }
}
