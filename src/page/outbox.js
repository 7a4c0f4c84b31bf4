// The outbox: messages that may not be stored yet. They are kept until they are, and sent in their order.
//
// The outbox of a room belongs to the browser, not to a tab: when a tab closes, another sends its messages.
// Every message has an id of its own, under which the server publishes it once, however often it
// is sent.

import { fileOf, forgetFile, keepFile } from "./blobs.js";
import { inTurn } from "./inturn.js";
import { random } from "./key.js";
import { Own } from "./own.js";
import { phrase } from "./phrase.js";
import { Waiting } from "./waiting.js";
import { poll, publish } from "./wire.js";

/** The server remembers an id for ten minutes after it was received. This is one minute less. */
const REMEMBERED = 9 * 60 * 1000;

/** Pauses between attempts, in milliseconds. */
const PAUSE = { first: 500, last: 15_000 };

/** How long the tab in which a message was written has to send it, before another does, in milliseconds. */
const LEFT_BEHIND = 5_000;

export class Outbox {
  #room;
  #changed;
  #settled;
  #taken;
  #position;
  #out;
  #progress;
  #own;
  #waiting;
  #settling = [];
  #hindered = null;
  #token;
  #flushing = false;
  #leftBehind = null;
  #wake = () => {};

  /**
   * `changed()` when `entries` did; `settled(cursor, claimed)` when a message is known as own;
   * `taken(name, sentence, removed)` when somebody else has the name, or the reader was removed;
   * `position()` is the cursor up to which the room is known; `out()` when the server no longer lets the reader in;
   * `progress(id, part)` when so much of a message with a file has gone; `token()` is that of an operator.
   */
  constructor(room, { changed, settled, taken, position, out, progress, token }) {
    this.#room = room;
    this.#changed = changed;
    this.#settled = settled;
    this.#taken = taken;
    this.#position = position;
    this.#out = out;
    this.#progress = progress;
    this.#token = token;
    this.#own = new Own(room, (cursor) => settled(cursor));
    this.#waiting = new Waiting(room, () => this.#elsewhere());
    this.#turnAll();
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.#waiting.renew();
      this.#elsewhere();
      this.flush();
    });
  }

  /** Messages on their way, oldest first. */
  get entries() {
    const shown = (entry) => !this.#settling.some(({ id }) => id === entry.id);
    const waiting = this.#waiting.all.filter(shown);
    const first = waiting.findIndex(({ state }) => state === "sending");
    if (this.#hindered !== null && first >= 0) waiting[first] = { ...waiting[first], reason: this.#hindered };
    return [...this.#settling.filter((entry) => !entry.taken), ...waiting];
  }

  /** Whether this browser is known to have sent it. */
  isOwn({ id }) {
    return this.#own.has(id);
  }

  /** Whether a new message seems to be what is being sent: the poll may be faster than the answer. */
  claims(message) {
    const entry = this.entries.find(
      (entry) => !entry.kind && entry.state === "sending" && isSame(entry, message),
    );
    if (!entry) return false;
    this.#settling.push({ ...entry, state: "sent", taken: message.id });
    return true;
  }

  /** The message is in the log now. */
  take(message) {
    this.#settling = this.#settling.filter((entry) => entry.cursor !== message.id);
  }

  /** Says something. It may answer the message with an id, and have a file. */
  add(text, name, answered, { blob, ...file } = {}) {
    const sent = blob && { ...file, key: random() };
    if (sent) keepFile(sent.key, blob);
    this.#waiting.add(random(), text, name, { ...(answered && { reply_to: answered }), ...(sent && { file: sent }) });
    this.#changed();
    this.flush();
  }

  /** The newest message that is on its way, as those in the log are. `n` only has one that waits. */
  get last() {
    this.#waiting.renew();
    return inLog(this.entries.filter(({ kind, state }) => !kind && state !== "failed").pop());
  }

  /** A message that waits, as those in the log are. */
  find(id) {
    return inLog(this.#waiting.all.find((entry) => entry.id === id && !entry.kind));
  }

  /** Where a message is that has waited. */
  cursorOf(id) {
    return this.#waiting.cursorOf(id);
  }

  /** The changes that are on their way, of messages in the room and of those that wait. */
  get changes() {
    const claimed = new Map(this.#settling.map(({ id, taken }) => [id, taken]));
    const revised = this.#waiting.all.filter(({ revised }) => revised);
    return [
      ...this.entries.filter(({ kind, state }) => kind && state !== "failed"),
      ...revised.map(({ id, revised }) => ({ ...revised, of: claimed.get(id) ?? id, state: "sending" })),
    ];
  }

  /** The last change of this message that is on its way. */
  changeOf(message) {
    return message ? this.changes.filter(({ of }) => of === message).pop() : undefined;
  }

  /**
   * Edits or deletes a message; `kind` as on the wire. One that waits may be on its way, with its answer lost: it is changed
   * as soon as it is known where it is.
   */
  change(kind, { id: of, n, name, reply_to }, text = "") {
    this.#waiting.renew();
    const id = this.#settling.find(({ taken }) => taken === of)?.id ?? of;
    const cursor = this.cursorOf(id);
    if (cursor === undefined && this.#waiting.has(id)) this.#waiting.revise(id, { id: random(), kind, text });
    else if (cursor !== undefined || n === undefined) this.#waiting.add(random(), text, null, { kind, of: cursor ?? of });
    // It was discarded in another tab.
    else if (text !== "") this.#waiting.add(random(), text, name, { reply_to });
    // Another tab may just have heard where it is.
    this.#turn(id);
    this.#changed();
    this.flush();
  }

  /** Sends a failed message again, under the same id; or one that waits, now. */
  retry(id) {
    this.#waiting.again(id);
    this.#changed();
    this.flush();
  }

  /** Sends all that could not be said under a name that was another's, under this one. */
  resay(name) {
    for (const entry of this.#waiting.all) if (entry.taken) this.#sayAnew(entry, { name, ...entry.revised, id: random() });
    this.#changed();
    this.flush();
  }

  discard(id) {
    this.#forgetFile(this.#waiting.all.find((entry) => entry.id === id));
    this.#waiting.remove(id);
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
        await inTurn(() => this.#send());
        failures = 0;
        this.#hinder(null);
      } catch (error) {
        failures += 1;
        this.#hinder(error.foreign ? phrase("message.between") : error.slow ? error.message : null);
        if (error.out) this.#out();
        const pause = Math.min(PAUSE.last, PAUSE.first * 2 ** (failures - 1));
        await this.#pause((error.retryAfter ?? 0) + pause * (0.5 + Math.random() / 2));
      }
    }
    this.#flushing = false;
  }

  #next() {
    this.#waiting.renew();
    return this.#waiting.all.find(({ state }) => state === "sending");
  }

  /** Sends the oldest. Throws on a fault that may pass. */
  async #send() {
    let entry = this.#next();
    // Another tab has sent the last one meanwhile.
    if (!entry) return;
    const { id, name, kind, of, reply_to, file, again, cursor } = entry;
    // The tab that heard so was closed just then.
    if (cursor !== undefined) return this.#settle(entry, cursor);
    let { tried } = entry;
    // A change that is made twice changes nothing more.
    if (!kind && tried !== undefined && Math.abs(Date.now() - tried) > REMEMBERED) {
      // The server has forgotten its id: if it received the message then, it would publish it again.
      if (await this.#mayBeThere(entry)) {
        this.#fail(entry, phrase("message.doubt"));
        return;
      }
      tried = undefined;
    }
    const blob = file && (await fileOf(file.key));
    if (file && !blob) return this.#fail(entry, phrase("file.lost"));
    const isFirst = tried === undefined;
    const revised = () => (isFirst && !again ? this.#waiting.revised(id) : null);
    // Nobody has got it yet: it goes as it was edited.
    const as = revised();
    if (as?.kind === "deleted") return this.discard(id);
    // It was discarded just now.
    if (!this.#waiting.has(id)) return;
    if (as) entry = { ...entry, text: as.text, as };
    if (isFirst) this.#waiting.tried(id, this.#position(), entry.as);
    try {
      const { id: cursor } = await publish(this.#room, { text: entry.text, name, id, kind, of, reply_to, ...this.#sending(entry, blob), token: this.#token() });
      this.#settle(entry, cursor);
    } catch (error) {
      if (!error.status || error.passing) throw error;
      // It is deleted already.
      if (kind === "deleted" && error.status === 404) return this.discard(id);
      // Another tab has tried it without the edit, and this one had not heard of that yet.
      if (error.reused && as) return this.#waiting.tried(id, this.#position());
      const newer = error.taken ? null : revised();
      if (newer && newer.id !== as?.id) return this.#sayAnew(entry, newer);
      // Somebody has taken the name since it was first tried: it may have been stored then.
      const isInDoubt = error.taken && !isFirst && (await this.#mayBeThere(entry));
      this.#fail(entry, isInDoubt ? phrase("message.doubt") : error.message, error.taken && !isInDoubt);
      if (error.taken || error.removed) this.#taken(name, error.message, error.removed);
    }
  }

  /** Whether the room has a message like it since the first try, or no longer keeps that time. */
  async #mayBeThere({ after, ...entry }) {
    if (!after) return true;
    let reply = { next: after };
    do {
      reply = await poll([this.#room], { after: reply.next, wait: 0 });
      if (reply.gap || reply.messages.some((message) => isSame(entry, message))) return true;
    } while (reply.messages.length > 0);
    return false;
  }

  #settle(entry, cursor) {
    const claim = this.#settling.find(({ id }) => id === entry.id);
    if (!entry.kind) {
      // Before another tab hears where it is, or it would make the change as well.
      if (entry.as && entry.as.id === this.#waiting.revised(entry.id)?.id) this.#waiting.revise(entry.id, null);
      this.#waiting.stored(entry.id, cursor);
      this.#turn(entry.id);
      this.#own.add(cursor);
    }
    if (claim) this.#settling = this.#settling.filter((other) => other !== claim);
    if (claim?.taken !== cursor) this.#settling.push({ ...entry, state: "sent", cursor });
    this.#forgetFile(entry);
    this.#waiting.remove(entry.id);
    this.#settled(cursor, claim?.taken);
    this.#changed();
  }

  /** Says a message that nobody has, with another text, or under another name; or not at all. */
  #sayAnew({ file, ...entry }, { id, kind, text = entry.text, name = entry.name }) {
    if (kind === "deleted") return this.discard(entry.id);
    const { n, reply_to } = entry;
    this.#waiting.add(id, text, name, { n, reply_to, file });
    this.#waiting.remove(entry.id);
    this.#changed();
  }

  /** What is to become of a message is a change like any other, once it is known where the message is. */
  #turn(id) {
    const [cursor, revised] = [this.cursorOf(id), this.#waiting.revised(id)];
    if (cursor === undefined || revised === null) return;
    this.#waiting.add(revised.id, revised.text, null, { kind: revised.kind, of: cursor });
    this.#waiting.revise(id, null);
  }

  #turnAll() {
    for (const id of this.#waiting.allRevised) this.#turn(id);
  }

  #sending({ id, file }, blob) {
    return blob ? { file: { blob, name: file.name }, progress: (part) => this.#progress(id, part) } : {};
  }

  #forgetFile(entry) {
    if (entry?.file) forgetFile(entry.file.key);
  }

  #fail(entry, reason, taken = false) {
    this.#waiting.failed(entry.id, reason, taken);
    this.#settling = this.#settling.filter(({ id }) => id !== entry.id);
    this.#changed();
  }

  #hinder(reason) {
    if (reason === this.#hindered) return;
    this.#hindered = reason;
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

  /** Another tab has changed what waits. */
  #elsewhere() {
    this.#turnAll();
    const waiting = new Set(this.#waiting.all.map(({ id }) => id));
    // No answer in this tab settles what another tab has sent.
    this.#settling = this.#settling.filter(({ id, taken }) => !taken || waiting.has(id));
    this.#changed();
    if (waiting.size === 0 || this.#leftBehind !== null) return;
    // The tab that it was said in may be gone.
    this.#leftBehind = setTimeout(() => {
      this.#leftBehind = null;
      this.flush();
    }, LEFT_BEHIND);
  }
}

/** A message on its way, as those in the log are. */
function inLog(entry) {
  if (entry?.cursor === undefined) return entry && { ...entry, own: true };
  return { ...entry, id: entry.cursor, n: undefined, own: true };
}

/** Whether a message in the room is, or looks like, the one that is sent. */
function isSame({ name, text, file }, message) {
  return name === message.name && text === message.text && file?.bytes === message.file?.bytes;
}
