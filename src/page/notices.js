// What a browser gives notice of, by its sound and by notifications of the system.
//
// The tab that polls decides it, so there is one notice however many tabs are open. It follows each room from where
// this browser has heard it last. So what came while the network was cut, or while another tab took over, is noticed
// together, and what came before the first tab was opened is not.

import { saying } from "./changes.js";
import { noticesOf } from "./followed.js";
import { isForMe } from "./forme.js";
import { recall } from "./kept.js";
import { Track } from "./track.js";
import { poll } from "./wire.js";

/** What comes within this time is one notice, in milliseconds. */
const MOMENT = 300;

/**
 * A room that nobody looks at alerts so many times, until nothing gave notice for a while. All rooms together alert so
 * far apart. In milliseconds.
 */
const ALERTS = { most: 2, apart: 4_000, quiet: 60_000 };

/** How many messages are remembered as noticed: a tab that hung may hear them once more. */
const REMEMBERED = 1_000;

export class Notices {
  #bus;
  #tab;
  #me;
  #tabs;
  #errands;
  #noticed = new Set();
  #known = new Map();
  #tracks = new Map();
  #fresh = new Map();
  #timer = null;
  #told = new Map();
  #alerted = -Infinity;

  /**
   * `tab` is this tab, `me()` the reader's name, and `tabs()` what each tab wants; none if this tab does not poll.
   * `errands` reaches the tab that can sound, or that has the room.
   */
  constructor({ bus, tab, me, tabs, errands }) {
    this.#bus = bus;
    this.#tab = tab;
    this.#me = me;
    this.#tabs = tabs;
    this.#errands = errands;
    bus.on("news", ({ room, next }) => this.#known.set(room, placeOf(next)));
    bus.on("pong", ({ positions }) => {
      for (const [room, position] of positions) this.#known.set(room, placeOf(position));
    });
    bus.on("noticed", ({ ids }) => {
      this.#noticed = new Set([...this.#noticed, ...ids].slice(-REMEMBERED));
    });
    bus.on("want", ({ room, looking }) => looking && this.#told.delete(room));
  }

  /** Follows each room that gives notice. `positions`: up to where the hub has heard each of them. */
  compare(positions) {
    for (const [room, track] of this.#tracks) {
      if (positions.has(room) && gives(room)) continue;
      track.end();
      this.#tracks.delete(room);
    }
    for (const [room, position] of positions) if (gives(room)) this.#track(room, position).compare(position);
  }

  news(word) {
    if (gives(word.room)) this.#track(word.room, word.after).news(word);
  }

  #track(room, position) {
    let track = this.#tracks.get(room);
    if (!track) {
      const take = ({ messages }) => this.#take(room, messages);
      track = new Track(room, this.#known.get(room) ?? placeOf(position), take, poll);
      this.#tracks.set(room, track);
    }
    return track;
  }

  #take(room, messages) {
    const said = messages.filter(({ kind, deleted }) => kind === "message" && !deleted);
    if (said.length === 0 || this.#isLookedAt(room)) return;
    this.#fresh.set(room, [...(this.#fresh.get(room) ?? []), ...said]);
    this.#timer ??= setTimeout(() => this.#notice(), MOMENT);
  }

  #isLookedAt(room) {
    return this.#tabs().some((tab) => tab.room === room && tab.looking);
  }

  #notice() {
    const fresh = this.#fresh;
    this.#fresh = new Map();
    this.#timer = null;
    const tabs = this.#tabs();
    // Another tab polls by now, and has heard the same.
    if (tabs.length === 0) return;
    for (const [room, messages] of fresh) {
      if (this.#isLookedAt(room)) continue;
      const wanted = this.#wanted(room, messages);
      if (wanted.length > 0) this.#tell(room, wanted, tabs);
    }
  }

  /** Those of these messages of others that the reader wants notice of. */
  #wanted(room, messages) {
    const of = noticesOf(room);
    const me = this.#me();
    const mine = new Set(recall(`own/${room}`, []));
    const isOwn = (id) => mine.has(id);
    return messages.filter((message) => {
      if (this.#noticed.has(`${room} ${message.id}`)) return false;
      // The answer to what was just sent may still be on its way.
      const own = isOwn(message.id) || (message.name !== null && message.name === me);
      return of === "all" ? !own : of === "mentions" && isForMe(message, { me, own, isOwn });
    });
  }

  #tell(room, messages, tabs) {
    this.#bus.post({ is: "noticed", ids: messages.map(({ id }) => `${room} ${id}`) });
    const now = Date.now();
    const before = this.#told.get(room) ?? { count: 0, alerts: 0, at: now };
    const count = before.count + messages.length;
    const alerts = now - before.at < ALERTS.quiet ? before.alerts : 0;
    const alert = alerts < ALERTS.most && now - this.#alerted >= ALERTS.apart;
    this.#told.set(room, { count, alerts: alert ? alerts + 1 : alerts, at: now });
    if (alert) this.#alerted = now;
    if (isOn("notify")) {
      const last = messages.at(-1);
      const { id, name } = last;
      const details = { room, id, count, name, text: saying(last).slice(0, LONG), all: noticesOf(room) === "all", alert };
      const there = tabs.filter((tab) => tab.room === room).map(({ tab }) => tab);
      this.#errands.give("show", details, new Set([...there, this.#tab]));
    }
    if (alert && isOn("sound")) {
      const able = tabs.filter(({ sounds }) => sounds).map(({ tab }) => tab);
      this.#errands.give("play", {}, able);
    }
  }
}

/** The longest text in a notification, in UTF-16 units. */
const LONG = 300;

const isOn = (which) => recall(which) === true;

const gives = (room) => (isOn("sound") || isOn("notify")) && noticesOf(room) !== "none";

/** A cursor to go on from. Where the hub knows none, the room was empty. */
function placeOf(position) {
  return position.includes(" ") ? "oldest" : position;
}
