// The hub polls for every tab of this browser. Each tab has a hub; only that of the elected tab polls.
//
// A browser opens six connections to a server over HTTP/1.1. Polls hold at most three of them,
// however many rooms are open, and the tabs send one message at a time. So a POST or a short question
// always finds a free one. With more than three rooms, two have a poll each (visible rooms first), and
// the rest take turns on the third.

import { Line } from "./line.js";
import { leave, poll } from "./wire.js";

const POLLS = 3;

/** How long a poll waits, in seconds: in a visible tab, in a hidden one, and in turns. */
const WAIT = { seen: 20, hidden: 30, turn: 1 };

/** The longest round of turns, in seconds: a person is present for longer than that. */
const ROUND = 8;

/**
 * How many polls of a room may follow each other without a pause, and the pause after that, in
 * milliseconds: in a lively room one poll then brings several messages.
 */
const PACE = { burst: 8, apart: 250 };

/** A page that goes away may just be reloading. How long the server waits for it, in seconds. */
const RELOAD = 4;

/** A tab that missed this many roll calls is gone. */
const MISSED_ROLLS = 3;

/** The shortest time between two roll calls, in milliseconds. */
const ROLL_PAUSE = 20_000;

export class Hub {
  #bus;
  #line;
  #wants = new Map();
  #polls = new Map();
  #signal = null;
  #turns = Promise.resolve();
  #roll = 0;
  #rolled = 0;

  constructor(bus) {
    this.#bus = bus;
    this.#line = new Line(() => this.#awake && this.#pong());
    bus.on("want", (want) => this.#awake && this.#want(want));
    bus.on("gone", ({ tab }) => this.#awake && this.#gone(tab));
    bus.on("ping", () => this.#awake && this.#pong());
    bus.on("prod", () => this.#awake && this.#prod());
    // A poll that was there before may go on, and its end would be the first sign that the network is back.
    addEventListener("online", () => this.#awake && this.#prod());
  }

  /** Polls until the signal aborts. */
  lead(signal) {
    this.#signal = signal;
    this.#line.open();
    signal.addEventListener("abort", () => {
      this.#signal = null;
      this.#wants.clear();
      this.#plan();
    });
    this.#callRoll();
  }

  get #awake() {
    return this.#signal !== null;
  }

  get #seen() {
    return [...this.#wants.values()].some((want) => want.visible);
  }

  #callRoll() {
    this.#rolled = Date.now();
    this.#roll += 1;
    this.#bus.post({ is: "roll" });
  }

  #want(want) {
    const { tab, room, name } = want;
    const before = this.#wants.get(tab);
    this.#wants.set(tab, { ...want, roll: this.#roll });
    this.#line.hidden = !this.#seen;
    const current = this.#polls.get(room);
    if (current && current.name !== name) current.rename(name);
    if (before?.name && before.name !== name) this.#leave(before, 0);
    this.#plan();
    this.#pong();
  }

  /** Tells the tabs that somebody polls, the cursor of each room, and whether the server is reached. */
  #pong() {
    const positions = new Map([...this.#polls].map(([room, { next }]) => [room, next]));
    this.#bus.post({ is: "pong", positions, line: this.#line.state });
  }

  #gone(tab) {
    const want = this.#wants.get(tab);
    if (!want) return;
    this.#wants.delete(tab);
    this.#line.hidden = !this.#seen;
    this.#leave(want, RELOAD);
    this.#plan();
  }

  /** Leaves the room under the name, unless another tab is in it. */
  #leave({ room, name }, wait) {
    const others = [...this.#wants.values()];
    if (name && !others.some((want) => want.room === room && want.name === name)) leave(room, name, wait);
  }

  #prod() {
    this.#line.retry();
    for (const current of this.#polls.values()) current.refresh();
  }

  /** Starts and ends polls, so that each room that a tab wants has one. */
  #plan() {
    const wanted = new Map();
    for (const want of this.#wants.values()) {
      if (this.#bus.alone && !want.visible) continue;
      const known = wanted.get(want.room);
      if (!known || (want.visible && !known.visible)) wanted.set(want.room, want);
    }
    for (const [room, current] of this.#polls) {
      if (wanted.has(room)) continue;
      current.end();
      this.#polls.delete(room);
    }
    const rank = (want) => (want.visible ? 0 : 1);
    const ranked = [...wanted.values()].sort((a, b) => rank(a) - rank(b));
    ranked.forEach((want, place) => {
      const inTurns = ranked.length > POLLS && place >= POLLS - 1;
      let current = this.#polls.get(want.room);
      if (!current) {
        current = new Poll(this, want, inTurns);
        this.#polls.set(want.room, current);
        current.run();
      }
      current.inTurns = inTurns;
    });
  }

  // What polls ask of the hub.

  /** Waits until the server may be reached, and for the poll's turn if it takes turns. */
  async turn(inTurns) {
    await this.#line.up();
    if (!inTurns) return () => {};
    const before = this.#turns;
    let done;
    this.#turns = new Promise((resolve) => (done = resolve));
    await before;
    return done;
  }

  /** How long the next poll waits. After a failure it does not wait, to see at once whether the server is back. */
  wait(inTurns) {
    if (this.#line.failing) return 0;
    if (inTurns) return Number(Math.min(WAIT.turn, ROUND / this.#polls.size).toFixed(2));
    return this.#seen ? WAIT.seen : WAIT.hidden;
  }

  answered(room, after, reply) {
    this.#line.answered();
    if (reply.messages.length > 0 || reply.gap) this.#bus.post({ is: "news", room, after, ...reply });
    if (Date.now() - this.#rolled < ROLL_PAUSE) return;
    for (const [tab, want] of this.#wants) {
      if (want.roll <= this.#roll - MISSED_ROLLS) this.#gone(tab);
    }
    this.#callRoll();
  }

  failed(error) {
    this.#line.failed(error);
  }
}

/** One room's polls: each starts where the one before ended. */
class Poll {
  #hub;
  #room;
  #ended = false;
  #inTurns;
  #attempt = null;
  #due = 0;

  constructor(hub, { room, after, name }, inTurns) {
    this.#hub = hub;
    this.#room = room;
    this.next = after;
    this.name = name;
    this.#inTurns = inTurns;
  }

  /** Takes turns from now on, or has a connection of its own. */
  set inTurns(inTurns) {
    if (inTurns === this.#inTurns) return;
    this.#inTurns = inTurns;
    this.refresh();
  }

  /** Waits under another name. */
  rename(name) {
    this.name = name;
    this.refresh();
  }

  /** Polls again at once: the connection of the present poll may be dead. */
  refresh() {
    this.#attempt?.abort();
  }

  end() {
    this.#ended = true;
    this.refresh();
  }

  async run() {
    while (!this.#ended) {
      await this.#pace();
      const inTurns = this.#inTurns;
      const done = await this.#hub.turn(inTurns);
      if (!this.#ended) await this.#once(this.#hub.wait(inTurns));
      done();
    }
  }

  /** Waits until the next poll is due. */
  async #pace() {
    const now = Date.now();
    this.#due = Math.max(this.#due, now - PACE.burst * PACE.apart) + PACE.apart;
    if (this.#due > now) await new Promise((resolve) => setTimeout(resolve, this.#due - now));
  }

  async #once(wait) {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { next: after, name } = this;
    try {
      const reply = await poll(this.#room, { after, wait, name }, attempt.signal);
      if (!this.#ended) this.#hub.answered(this.#room, after, reply);
      this.next = reply.next;
    } catch (error) {
      if (!attempt.signal.aborted) this.#hub.failed(error);
    }
  }
}
