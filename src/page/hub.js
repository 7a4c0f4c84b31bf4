// The hub polls for every tab of this browser. Each tab has a hub; only that of the elected tab polls.
//
// One request waits in all rooms that tabs have open, and in those that this browser follows. A browser opens six
// connections to a server over HTTP/1.1: so a message or a short question always finds a free one.

import { followed, onFollowed } from "./followed.js";
import { Line } from "./line.js";
import { Notices } from "./notices.js";
import { plan } from "./plan.js";
import { Poll } from "./poll.js";
import { Unread } from "./unread.js";
import { leave } from "./wire.js";

/** The most rooms that the server lets one request wait in. */
const ROOMS = 32;

/** How long a poll waits, in seconds: in a visible tab and in a hidden one. */
const WAIT = { seen: 20, hidden: 30 };

/** A page that goes away may just be reloading. How long the server waits for it, in seconds. */
const RELOAD = 4;

/** A tab that missed this many roll calls is gone. */
const MISSED_ROLLS = 3;

/** The shortest time between two roll calls, in milliseconds. */
const ROLL_PAUSE = 20_000;

export class Hub {
  #bus;
  #line;
  #unread;
  #notices;
  #wants = new Map();
  /** The rooms in which somebody else has a name that was wanted there: the name, and the sentence that says so. */
  #taken = new Map();
  #polls = [];
  /** Up to where each room was heard: a cursor or, where that is not known, a word that is no cursor. */
  #positions = new Map();
  #unknown = 0;
  #most = ROOMS;
  #signal = null;
  #ponging = false;
  #roll = 0;
  #rolled = 0;

  /** `tab` is this tab, `me()` the reader's name, and `errands` what a tab has another one do. */
  constructor(bus, { tab, me, errands }) {
    this.#bus = bus;
    this.#line = new Line(() => this.#pong());
    this.#unread = new Unread(() => this.#pong());
    this.#notices = new Notices({ bus, tab, me, errands, tabs: () => [...this.#wants.values()] });
    bus.on("want", (want) => this.#awake && this.#want(want));
    bus.on("gone", ({ tab }) => this.#awake && this.#gone(tab));
    bus.on("ping", () => this.#pong());
    bus.on("prod", () => this.#awake && this.#prod());
    onFollowed(() => this.#awake && this.#refollow());
    // A poll that was there before may go on, and its end would be the first sign that the network is back.
    addEventListener("online", () => this.#awake && this.#prod());
  }

  /** Polls until the signal aborts. */
  lead(signal) {
    this.#signal = signal;
    this.#most = ROOMS;
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
    const before = this.#wants.get(want.tab);
    this.#wants.set(want.tab, { ...want, roll: this.#roll });
    const taken = this.#taken.get(want.room);
    if (want.anew || taken?.name !== want.name) this.#taken.delete(want.room);
    else this.#bus.post({ is: "taken", room: want.room, ...taken });
    this.#line.hidden = !this.#seen;
    this.#plan();
    if (before?.name && before.name !== want.name) this.#leave(before, 0);
    this.#pong();
  }

  /**
   * Tells the tabs that somebody polls, up to where each room was heard, how much is unread, and whether the server
   * is reached: once for all that has just changed.
   */
  #pong() {
    if (!this.#awake || this.#ponging) return;
    this.#ponging = true;
    queueMicrotask(() => {
      this.#ponging = false;
      if (!this.#awake) return;
      const positions = new Map(this.#positions);
      this.#bus.post({ is: "pong", positions, unread: this.#unread.counts, line: this.#line.state });
    });
  }

  #gone(tab) {
    const want = this.#wants.get(tab);
    if (!want) return;
    this.#wants.delete(tab);
    this.#line.hidden = !this.#seen;
    this.#plan();
    this.#leave(want, RELOAD);
  }

  /** Leaves the room under the name, unless another tab is in it. */
  #leave({ room, name }, wait) {
    const others = [...this.#wants.values()];
    if (name && !others.some((want) => want.room === room && want.name === name)) leave(room, name, wait);
  }

  #prod() {
    this.#line.retry();
    for (const current of this.#polls) current.refresh();
  }

  /** Something else is followed, or read further. */
  #refollow() {
    this.#plan();
    this.#pong();
  }

  /** Starts, changes and ends polls, so that they wait for all that is wanted. */
  #plan() {
    const seen = [...this.#wants.values()].filter(({ visible }) => visible || !this.#bus.alone);
    const mayHave = ({ room, name }) => this.#taken.get(room)?.name !== name;
    const isRemoved = (room) => this.#taken.get(room)?.removed === true;
    const wants = seen.filter(({ room }) => !isRemoved(room)).map((want) => ({ ...want, name: mayHave(want) ? want.name : null }));
    const wanted = plan(wants, followed().filter((room) => !isRemoved(room)), this.#most);
    for (const current of this.#polls.splice(wanted.length)) current.end();
    wanted.forEach((each, n) => {
      if (this.#polls[n]) this.#polls[n].wanted = each;
      else this.#polls.push(new Poll(this, each));
    });
    const heard = new Set(wanted.filter(({ silent }) => !silent).flatMap(({ rooms }) => rooms));
    for (const room of this.#positions.keys()) if (!heard.has(room)) this.#positions.delete(room);
    this.#compare();
  }

  // What polls ask of the hub, and tell it.

  /** Waits until the server may be reached. */
  up() {
    return this.#line.up();
  }

  /** How long the next poll waits. After a failure it does not wait, to see at once whether the server is back. */
  get wait() {
    if (this.#line.failing) return 0;
    return this.#seen ? WAIT.seen : WAIT.hidden;
  }

  /** The newest message of each of these rooms, if it has one. The poll goes on from there. */
  began(rooms, { messages }) {
    this.#line.answered();
    const newest = new Map(messages.map(({ room, id }) => [room, id]));
    for (const room of rooms) this.#positions.set(room, newest.get(room) ?? this.#somewhere());
    this.#compare();
    this.#pong();
  }

  /** What came after that. */
  answered(rooms, { messages, gaps }) {
    this.#line.answered();
    for (const room of rooms) this.#heard(room, messages.filter((message) => message.room === room), gaps.includes(room));
    this.#compare();
    if (Date.now() - this.#rolled < ROLL_PAUSE) return;
    for (const [tab, want] of this.#wants) {
      if (want.roll <= this.#roll - MISSED_ROLLS) this.#gone(tab);
    }
    this.#callRoll();
  }

  #heard(room, messages, gap) {
    if (messages.length === 0 && !gap) return;
    const after = this.#positions.get(room);
    const next = messages.at(-1)?.id ?? this.#somewhere();
    this.#positions.set(room, next);
    const news = { is: "news", room, after, messages, next, gap };
    this.#bus.post(news);
    this.#unread.news(news);
    this.#notices.news(news);
  }

  #compare() {
    this.#unread.compare(this.#positions);
    this.#notices.compare(this.#positions);
  }

  #somewhere() {
    this.#unknown += 1;
    return `somewhere ${this.#unknown}`;
  }

  /**
   * Somebody else has this name in these rooms: this browser goes on reading there without one. Where the reader was
   * removed it does not.
   */
  taken(rooms, name, sentence, removed = false) {
    this.#line.answered();
    for (const room of rooms) {
      this.#taken.set(room, { name, sentence, removed });
      this.#bus.post({ is: "taken", room, name, sentence, removed });
    }
    this.#plan();
  }

  /** The server does not let one request wait in all of these rooms. */
  refused(rooms) {
    if (rooms.length < 2) return;
    this.#most = Math.ceil(rooms.length / 2);
    this.#plan();
  }

  failed(error) {
    this.#line.failed(error);
  }
}
