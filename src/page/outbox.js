// What was said and is not yet known to be stored: kept until it is, sent in its order.
//
// The outbox of a room belongs to the browser, not to a tab: what one leaves behind another sends.
// Every message has an id of its own, under which the server publishes it once, however often it
// is sent.

import { keep, recall, watch } from "./kept.js";
import { publish } from "./wire.js";

/** The server remembers an id for ten minutes. Past this, a message may not be sent again unasked. */
const REMEMBERED = 9 * 60 * 1000;

/** Pauses between attempts, in milliseconds. */
const PAUSE = { first: 500, last: 15_000 };

/** The most of one's own messages in a room that are known again as such. */
const OWN_KEPT = 500;

const LOCK = "comet-chat-post";

/** How long to wait for another tab that sends, in milliseconds. */
const PATIENCE = 3_000;

export class Outbox {
  #room;
  #changed;
  #settled;
  #own;
  #settling = [];
  #flushing = false;
  #wake = () => {};

  /** `changed()` when `entries` did; `settled(cursor, claimed)` when a message is known as own. */
  constructor(room, { changed, settled }) {
    this.#room = room;
    this.#changed = changed;
    this.#settled = settled;
    this.#own = new Set(recall(`own/${room}`, []));
    watch(`outbox/${room}`, () => changed());
    watch(`own/${room}`, (own) => (this.#own = new Set(own)));
  }

  /** What is on its way, oldest first. */
  get entries() {
    const shown = (entry) => !this.#settling.some(({ id }) => id === entry.id);
    const waiting = this.#kept().filter(shown);
    return [...this.#settling.filter((entry) => !entry.taken), ...waiting];
  }

  /** Whether this browser is known to have said it. */
  isOwn({ id }) {
    return this.#own.has(id);
  }

  /** Whether a new message seems to be what is being sent: the poll may be faster than the answer. */
  claims(message) {
    const entry = this.entries.find(
      ({ state, name, text }) => state === "sending" && name === message.name && text === message.text,
    );
    if (!entry) return false;
    this.#settling.push({ ...entry, state: "sent", taken: message.id });
    return true;
  }

  /** The message is in the log now. */
  take(message) {
    this.#settling = this.#settling.filter((entry) => entry.cursor !== message.id);
  }

  add(text, name) {
    const at = new Date().toISOString();
    const entry = { id: newId(), text, name, at, state: "sending", tried: null };
    this.#save([...this.#kept(), entry]);
    this.#changed();
    this.flush();
  }

  /** Sends a failed one again, under the same id. */
  retry(id) {
    this.#update(id, { state: "sending", reason: null, tried: null });
    this.#changed();
    this.flush();
  }

  discard(id) {
    this.#save(this.#kept().filter((entry) => entry.id !== id));
    this.#changed();
  }

  /** Sends all that waits, one after the other. */
  async flush() {
    this.#wake();
    if (this.#flushing) return;
    this.#flushing = true;
    let failures = 0;
    while (this.#next()) {
      try {
        await inTurn(() => this.#send(this.#next()));
        failures = 0;
      } catch (error) {
        failures += 1;
        const pause = Math.min(PAUSE.last, PAUSE.first * 2 ** (failures - 1));
        await this.#pause((error.retryAfter ?? 0) + pause * (0.5 + Math.random() / 2));
      }
    }
    this.#flushing = false;
  }

  #next() {
    return this.#kept().find(({ state }) => state === "sending");
  }

  /** Sends an entry; throws what may pass. */
  async #send(entry) {
    // Another tab has sent the last one meanwhile.
    if (!entry) return;
    const { id, text, name } = entry;
    const tried = entry.tried ?? Date.now();
    if (Date.now() - tried > REMEMBERED) {
      this.#fail(entry, "It may have gone out, or not.");
      return;
    }
    if (navigator.onLine) this.#update(id, { tried });
    try {
      const { id: cursor } = await publish(this.#room, { message: text, name, id });
      this.#settle(entry, cursor);
    } catch (error) {
      if (!error.status || error.passing) throw error;
      this.#fail(entry, error.message);
    }
  }

  #settle(entry, cursor) {
    const claim = this.#settling.find(({ id }) => id === entry.id);
    this.#own = new Set([...recall(`own/${this.#room}`, []), cursor].slice(-OWN_KEPT));
    keep(`own/${this.#room}`, [...this.#own]);
    if (claim) this.#settling = this.#settling.filter((other) => other !== claim);
    if (claim?.taken !== cursor) this.#settling.push({ ...entry, state: "sent", cursor });
    this.#save(this.#kept().filter(({ id }) => id !== entry.id));
    this.#settled(cursor, claim?.taken);
    this.#changed();
  }

  #fail(entry, reason) {
    this.#update(entry.id, { state: "failed", reason });
    this.#settling = this.#settling.filter(({ id }) => id !== entry.id);
    this.#changed();
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #kept() {
    return recall(`outbox/${this.#room}`, []);
  }

  #save(entries) {
    keep(`outbox/${this.#room}`, entries.length > 0 ? entries : null);
  }

  #update(id, change) {
    this.#save(this.#kept().map((entry) => (entry.id === id ? { ...entry, ...change } : entry)));
  }
}

/**
 * One tab sends at a time, so that messages take one connection and keep their order. A tab that
 * hangs holds the others up for a while only: the ids keep a message from being published twice.
 */
async function inTurn(send) {
  if (!navigator.locks) return send();
  let begun = false;
  const take = () => {
    begun = true;
    return send();
  };
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), PATIENCE);
  try {
    return await navigator.locks.request(LOCK, { signal: giveUp.signal }, take);
  } catch (error) {
    if (begun) throw error;
    return send();
  } finally {
    clearTimeout(timer);
  }
}

/** 128 bits of chance; `crypto.randomUUID` is missing on plain http. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
