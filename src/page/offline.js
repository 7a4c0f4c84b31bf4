// What this browser keeps of the rooms, to be read without a network: the newest messages of each, in the browser's
// cache, where the worker finds them. There is a worker only on https, and on the machine of the server.

import { isChange, makeChange } from "./changes.js";
import { onFollowed, visited } from "./followed.js";
import { isRule } from "./rule.js";
import { OWN, SCOPE, WORKER, hasWorker, roomAddress } from "./site.js";
import { isoOf } from "./stamp.js";

const CACHE = `${OWN} kept`;

/** How much is kept of a room: so many messages, and characters in them. */
const MOST = { messages: 50, characters: 64_000 };

/** What comes within this time is kept at once, in milliseconds. */
const MOMENT = 1_000;

/** What is kept of a message, beside its text. */
const PARTS = ["id", "kind", "name", "reply_to", "operator"];

/** And when it was said, and became another. */
const TIMES = ["at", "edited", "deleted"];

const { serviceWorker } = navigator;

export class Offline {
  #room;
  #log;
  #position;
  #timer = null;
  #isOut = false;

  /** `position()` is the cursor up to which the log has everything. */
  constructor({ room, log, bus, position }) {
    this.#room = room;
    this.#log = log;
    this.#position = position;
    // On plain http nobody could read it.
    if (!serviceWorker || !hasWorker) return;
    addEventListener("load", () => register());
    bus.on("news", (news) => (news.room === room ? this.#soon() : changeKept(news)));
    bus.on("pong", ({ line }) => this.#enter(line.state !== "out"));
    onFollowed(() => this.#soon());
    this.#soon();
  }

  /** Whoever is not let in any more leaves nothing here. */
  #enter(isIn) {
    if (!isIn && !this.#isOut) caches.delete(CACHE).catch(() => {});
    this.#isOut = !isIn;
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      // Storage may be full or forbidden.
      if (!this.#isOut) this.#keep().catch(() => {});
    }, MOMENT);
  }

  async #keep() {
    const record = { messages: kept(this.#log.tail(MOST.messages)), next: this.#position(), at: Date.now() };
    const cache = await caches.open(CACHE);
    await cache.put(roomAddress(this.#room), new Response(JSON.stringify(record)));
    const rooms = new Set([this.#room, ...visited()].map(roomAddress));
    for (const { url } of await cache.keys()) if (!rooms.has(new URL(url).pathname)) await cache.delete(url);
  }
}

/** The newest of these messages, within the limit. */
function kept(messages) {
  let characters = 0;
  const fits = ({ text }) => (characters += text.length) <= MOST.characters;
  const first = messages.findLastIndex((message) => !fits(message)) + 1;
  return messages.slice(first).map(partsOf);
}

/** What is kept of a message: as the rows in the server's HTML have it, which `backlog.js` reads. */
function partsOf(message) {
  const { file, text, seconds } = message;
  const { name, bytes, width, height, gone } = file ?? {};
  const rule = isRule(message) ? { rule: seconds ?? text } : {};
  const parts = PARTS.map((part) => [part, message[part]]);
  const times = TIMES.map((time) => [time, message[time] && isoOf(message[time])]);
  const all = { ...Object.fromEntries([...parts, ...times]), file: name, bytes, width, height, gone, ...rule };
  const has = ([, value]) => value !== undefined && value !== null && value !== false;
  return { ...Object.fromEntries(Object.entries(all).filter(has)), text };
}

/** A text that was edited or deleted is not kept as it was, in a room that no tab has open either. */
async function changeKept({ room, messages }) {
  const changes = messages.filter(isChange);
  if (changes.length === 0) return;
  try {
    const cache = await caches.open(CACHE);
    const record = await (await cache.match(roomAddress(room))).json();
    for (const entry of changes) {
      const message = record.messages.find(({ id }) => id === entry.of);
      if (message) makeChange(message, { ...entry, at: isoOf(entry.at) });
    }
    await cache.put(roomAddress(room), new Response(JSON.stringify(record)));
  } catch {
    // Nothing is kept of it.
  }
}

/** What the browser takes for a script's address: there is no way to another one. */
function trusted(address) {
  const rules = { createScriptURL: () => address };
  return globalThis.trustedTypes?.createPolicy("worker", rules).createScriptURL(address) ?? address;
}

async function register() {
  try {
    await serviceWorker.register(trusted(WORKER), { scope: SCOPE, updateViaCache: "none" });
  } catch {
    // The browser wants none, or the network is away.
  }
}
