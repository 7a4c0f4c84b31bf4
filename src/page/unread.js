// How many messages are unread in each room that this browser follows, counted by the tab that polls.

import { followed, readUpTo } from "./followed.js";
import { number } from "./locale.js";
import { Track } from "./track.js";
import { poll } from "./wire.js";

/** Unread messages are counted up to this number. */
const MANY = 99;

/** A count as it is shown. */
export function shown(count) {
  return count > MANY ? `${number(MANY)}+` : number(count);
}

/** How many messages of a room are remembered one by one, who came and left included. */
const REMEMBERED = 1_000;

export class Unread {
  #changed;
  #counts = new Map();
  #turn = Promise.resolve();

  /** `changed()` is called when a count is another. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The count of each room. */
  get counts() {
    return new Map([...this.#counts].map(([room, { unread }]) => [room, unread]));
  }

  /** Counts in each followed room that the hub polls. `positions`: up to where the hub has heard each of them. */
  compare(positions) {
    const rooms = new Set(followed().filter((room) => positions.has(room)));
    for (const room of this.#counts.keys()) if (!rooms.has(room)) this.#counts.delete(room);
    for (const room of rooms) {
      const read = readUpTo(room);
      let count = this.#counts.get(room);
      if (!count?.knows(read)) {
        count = new Count(room, read, this.#changed, (...asked) => this.#inTurn(...asked));
        this.#counts.set(room, count);
      }
      count.track.compare(positions.get(room));
    }
  }

  news(word) {
    this.#counts.get(word.room)?.track.news(word);
  }

  /** One room asks after the other, so that a message always finds a free connection. */
  #inTurn(...asked) {
    const reply = this.#turn.then(() => poll(...asked));
    this.#turn = reply.catch(() => {});
    return reply;
  }
}

/** What came in a room after the message that was read last. */
class Count {
  unread = 0;
  #read;
  #after = [];

  constructor(room, read, changed, ask) {
    this.#read = read;
    this.track = new Track(
      room,
      read,
      ({ messages }) => {
        this.#after.push(...messages.map(({ id, kind, deleted }) => ({ id, said: kind === "message" && !deleted })));
        this.#sum();
        if (this.unread > MANY) this.track.end();
        if (messages.length > 0) changed();
      },
      ask,
    );
  }

  /** Learns up to where the room was read. Gives false if it does not know that message. */
  knows(read) {
    if (read === this.#read) return true;
    const place = this.#after.findIndex(({ id }) => id === read);
    if (place < 0 || this.unread > MANY) return false;
    this.#read = read;
    this.#after.splice(0, place + 1);
    this.#sum();
    return true;
  }

  #sum() {
    if (this.#after.length > REMEMBERED) this.#after = this.#after.filter(({ said }) => said);
    this.unread = this.#after.filter(({ said }) => said).length;
  }
}
