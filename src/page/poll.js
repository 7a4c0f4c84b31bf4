// A request that waits in several rooms at once, again and again.
//
// A cursor of several rooms holds a place in each. A room that is not in it would start from now on, at a place that
// nobody knows. So whenever a room comes to the set, the poll begins anew: it asks for the newest message of each
// room without waiting. That answer has a cursor for all of them, and says where each stands.

import { poll } from "./wire.js";

/**
 * How many polls may follow each other without a pause, and the pause after that, in milliseconds: in a lively room
 * one poll then brings several messages.
 */
const PACE = { burst: 8, apart: 250 };

export class Poll {
  #hub;
  #wanted;
  #next = null;
  #covered = new Set();
  #ended = false;
  #attempt = null;
  #due = 0;

  /** `wanted`: one of the polls that `plan` gives. */
  constructor(hub, wanted) {
    this.#hub = hub;
    this.#wanted = wanted;
    this.#run();
  }

  /** Waits for something else from now on, if it is something else. */
  set wanted(wanted) {
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    const { silent } = this.#wanted;
    this.#wanted = wanted;
    // What a silent poll has heard nobody was told.
    if (silent !== wanted.silent) this.#covered.clear();
    this.#covered = new Set(wanted.rooms.filter((room) => this.#covered.has(room)));
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

  async #run() {
    while (!this.#ended) {
      await this.#pace();
      await this.#hub.up();
      if (!this.#ended) await this.#once();
    }
  }

  /** Waits until the next poll is due. */
  async #pace() {
    const now = Date.now();
    this.#due = Math.max(this.#due, now - PACE.burst * PACE.apart) + PACE.apart;
    if (this.#due > now) await new Promise((resolve) => setTimeout(resolve, this.#due - now));
  }

  /** Finds in which of these rooms somebody else has the name, or the reader may not be. */
  async #findTaken(rooms, name, { message, removed }) {
    const isTaken = (room) =>
      poll([room], { after: "latest", wait: 0, name }).then(
        () => false,
        (error) => error.taken === true || error.removed === true,
      );
    const taken = [];
    for (const room of rooms) if (rooms.length === 1 || (await isTaken(room))) taken.push(room);
    this.#hub.taken(taken, name, message, removed);
  }

  async #once() {
    const { rooms, name, present, silent } = this.#wanted;
    const begins = rooms.some((room) => !this.#covered.has(room));
    const attempt = new AbortController();
    this.#attempt = attempt;
    const asked = begins ? { last: 1, wait: 0 } : { after: this.#next, wait: this.#hub.wait, name, present };
    try {
      const reply = await poll(rooms, asked, attempt.signal);
      // It may be wanted no more in just this moment. Then it is asked for again.
      if (attempt.signal.aborted) return;
      this.#next = reply.next;
      this.#covered = new Set(rooms);
      // The server ends. If everybody came back in one instant, its successor would have to refuse some.
      if (reply.pause > 0) this.#due = Date.now() + reply.pause * (0.5 + Math.random() / 2);
      if (silent) return;
      if (begins) this.#hub.began(rooms, reply);
      else this.#hub.answered(rooms, reply);
    } catch (error) {
      if (attempt.signal.aborted) return;
      if (error.taken || error.removed) return this.#findTaken(present, name, error);
      // The server does not know the cursor, or can't wait in these rooms at once.
      if (error.status && !error.passing) {
        this.#covered.clear();
        if (begins) this.#hub.refused(rooms);
      }
      this.#hub.failed(error);
    }
  }
}
