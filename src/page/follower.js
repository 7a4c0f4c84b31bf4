// This tab's side of the polling: what it wants, and whether somebody polls.

import { Track } from "./track.js";

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
  #track;
  #name;
  #silent;
  #senses;
  #ping = null;
  #away = false;

  /**
   * `take({messages, gap})` gets new messages; `taken(name, sentence)` is called when somebody else has the name, and
   * `silent()` when nobody seems to poll. `senses()` gives whether the reader looks at this tab, and more of that kind.
   */
  constructor({ bus, tab, room, next, name, take, taken, silent, senses = () => ({}) }) {
    this.#bus = bus;
    this.#tab = tab;
    this.#room = room;
    this.#track = new Track(room, next, take);
    this.#name = name;
    bus.on("roll", () => this.#want());
    bus.on("pong", (word) => this.#pong(word));
    bus.on("taken", (word) => word.room === room && taken(word.name, word.sentence, word.removed));
    bus.on("news", (word) => word.room === room && this.#track.news(word));
    this.#silent = silent;
    this.#senses = senses;
    this.#watch();
    this.#hear();
    this.#want();
  }

  /** The cursor up to which this tab has everything. */
  get position() {
    return this.#track.next;
  }

  /** Makes the reader present under this name from now on, also if it was another's before. */
  rename(name) {
    this.#name = name;
    this.#want(true);
  }

  /** Tells the hub that the senses have changed. */
  sense() {
    this.#want();
  }

  /** Makes the hub try again at once. */
  prod() {
    this.#bus.post({ is: "prod" });
  }

  #want(anew = false) {
    if (this.#away) return;
    this.#bus.post({
      is: "want",
      tab: this.#tab,
      room: this.#room,
      // A tab that was opened before the server got a newer page may poll, and begins here.
      after: this.position,
      name: this.#name,
      anew,
      visible: !document.hidden,
      ...this.#senses(),
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
    for (const type of ["focus", "blur"]) addEventListener(type, () => this.#want());
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

  /** The hub may have heard more: what was lost on the way, or what came before this tab opened. */
  #pong({ positions, line }) {
    this.#hear();
    const position = positions.get(this.#room);
    if (position !== undefined && line.state === "up") this.#track.compare(position);
  }
}
