// The server's wire: the only file that knows parameters, headers and status codes.
//
// The answer may come from elsewhere: the sign-in page of a network, a proxy, a cache. It counts only if it
// has a mark of this server's own; any other is ignored.

import { key } from "./key.js";
import { problemPhrase } from "./phrase.js";
import { ROOMS, roomAddress } from "./site.js";

/** The server refused the request. */
export class Refused extends Error {
  constructor(status, type, sentence, retryAfter) {
    super(sentence);
    this.status = status;
    /** Whether somebody else has the name. */
    this.taken = type === `${PROBLEM}name-taken`;
    /** Whether the server has another message under this id. */
    this.reused = type === `${PROBLEM}id-reused`;
    /** Whether the reader may not be in the room. */
    this.removed = type === `${PROBLEM}removed`;
    /** Whether slow mode has the reader wait. */
    this.slow = type === `${PROBLEM}slow`;
    /** In milliseconds; 0 if the server named none. */
    this.retryAfter = retryAfter;
  }

  /** Whether the reader is not let in, any more. */
  get out() {
    return this.status === 401;
  }

  /** Whether the same request may be accepted later. */
  get passing() {
    return this.out || this.status === 429 || this.status >= 500;
  }
}

/** Something answered in the server's place. The request may or may not have reached the server. */
export class Foreign extends Error {
  foreign = true;

  constructor(status, retryAfter) {
    super(`an answer that is not the server's (${status})`);
    /** In milliseconds; 0 if none was named. */
    this.retryAfter = retryAfter;
  }
}

/** The longest wait that an answer from elsewhere may ask for, in milliseconds. */
const RETRY_AFTER_MOST = 60_000;

const JSON_ACCEPTED = { Accept: "application/json" };

/** How long a request that does not wait may take, in milliseconds. */
const DEADLINE = 15_000;

/** How long a file may stand still on its way, and be stored then, in milliseconds. */
const UPLOAD_DEADLINE = 30_000;

/** By what the server knows that a name is this reader's. */
const keyed = (name) => (name ? { "Chat-Key": key() } : {});

/** The address of a room or, for a poll, of several. */
function place(rooms, rest = "", parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== false && value !== "") query.set(key, value);
  }
  const question = `?${query}`.replace(/^\?$/, "");
  return `${roomAddress(rooms)}${rest}${question}`;
}

/**
 * The body of a reply without an error status, `null` if it has none, and its headers. Throws Refused,
 * Foreign, or what fetch throws if nobody answered.
 */
async function request(address, options = {}, deadline = DEADLINE) {
  const controller = new AbortController();
  const end = () => controller.abort();
  options.signal?.addEventListener("abort", end, { once: true });
  let timer = setTimeout(end, deadline);
  const moves = (part) => {
    clearTimeout(timer);
    timer = setTimeout(end, deadline);
    options.progress(part);
  };
  const asked = { headers: JSON_ACCEPTED, cache: "no-store", ...options, signal: controller.signal };
  try {
    const reply = await (options.progress ? send(address, asked, moves) : fetch(address, asked));
    const body = parse(reply, await reply.text());
    if (reply.ok) return { body, headers: reply.headers, status: reply.status };
    if (!isProblem(body)) throw new Foreign(reply.status, Math.min(RETRY_AFTER_MOST, retryAfter(reply.headers)));
    throw new Refused(reply.status, body.type, sentenceOf(body, address, reply.headers), retryAfter(reply.headers));
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", end);
  }
}

/** The same as `fetch`, and tells how much of a body has gone, as a part of 1. */
function send(address, { headers, body, signal }, moves) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => moves(loaded / total));
    request.addEventListener("load", () => {
      const lines = request.getAllResponseHeaders().trim().split("\r\n");
      const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2));
      resolve(new Response(request.responseText, { status: request.status, headers }));
    });
    for (const end of ["error", "abort"]) request.addEventListener(end, () => reject(new TypeError()));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

/** A reply of this server's own. Throws Foreign for any other. */
async function ask(address, isOurs, options, deadline) {
  const reply = await request(address, options, deadline);
  if (!isOurs(reply)) throw new Foreign(reply.status, 0);
  return reply;
}

function parse(reply, text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** What begins the types of this server's problems. */
const PROBLEM = "urn:comet-chat:";

const isProblem = (body) => typeof body?.type === "string" && body.type.startsWith(PROBLEM);

/** What went wrong, in the reader's language. */
function sentenceOf({ type, detail, title }, address, headers) {
  const name = new URL(address, location).searchParams.get("name");
  const places = { name, seconds: Number(headers.get("Retry-After")) };
  return problemPhrase(type.slice(PROBLEM.length), String(detail ?? title).slice(0, 300), places);
}

function retryAfter(headers) {
  const seconds = Number(headers.get("Retry-After"));
  return seconds > 0 ? seconds * 1000 : 0;
}

/**
 * The messages of these rooms after the cursor, or the `last` ones; at most `limit`, and only of these `kinds`. Waits up to `wait` seconds for one. With a name,
 * this person is present meanwhile: in all of the rooms, or in those that `present` lists. `gaps` are the rooms that
 * have lost messages. `pause` is how long the server asks not to come back, in milliseconds.
 */
export async function poll(rooms, { after, last, limit, wait, name, present, kinds }, signal) {
  const some = present && present.length < rooms.length;
  const address = place(rooms, "", { after, last, limit, wait, name, kinds, present: some && present.join() });
  const isOurs = ({ status, body, headers }) =>
    status === 204
      ? headers.has("Chat-Cursor")
      : Array.isArray(body?.messages) && typeof body.next === "string";
  const options = { signal, headers: { ...JSON_ACCEPTED, ...keyed(name) } };
  const { body, headers } = await ask(address, isOurs, options, wait * 1000 + DEADLINE);
  const gaps = body?.gaps ?? gapsIn(headers, rooms);
  return {
    messages: timed(body?.messages ?? []),
    next: body?.next ?? headers.get("Chat-Cursor"),
    gap: gaps.length > 0,
    gaps,
    pause: retryAfter(headers),
  };
}

function gapsIn(headers, rooms) {
  const gaps = headers.get("Chat-Gap");
  if (gaps === null) return [];
  return rooms.length === 1 ? rooms : gaps.split(",").map((room) => decodeURIComponent(room.trim()));
}

/** By what the server knows that the reader is an operator. */
const ordering = (token) => (token ? { Authorization: ["Bearer", token].join(" ") } : {});

/** What is in force in the room, and whether this token is of an operator of it. */
export async function about(room, token) {
  const headers = { ...JSON_ACCEPTED, ...ordering(token) };
  return (await ask(place(room, "/about"), ({ body }) => typeof body?.operator === "boolean", { headers })).body;
}

const isPublished = ({ body }) => typeof body?.id === "string";

function publishJson(address, fields, headers = {}) {
  const options = { method: "POST", body: JSON.stringify(fields), headers: { ...JSON_ACCEPTED, "Content-Type": "application/json", ...headers } };
  return ask(address, isPublished, options);
}

/** Changes a rule of the room, as its operator. */
export function decide(room, what, fields, token) {
  return publishJson(place(room, `/${what}`), fields, ordering(token));
}

export function setTopic(room, topic, name, token) {
  return publishJson(place(room, "/topic"), { topic, name }, { ...keyed(name), ...ordering(token) });
}

/** A private room, by a name that nobody else knows. */
export async function newRoom() {
  return (await ask(ROOMS, ({ body }) => typeof body?.room === "string", { method: "POST", headers: JSON_ACCEPTED })).body.room;
}

/** Where a message is published, or changed. */
const PUBLISH = { message: "", edited: "/edit", deleted: "/delete" };

/**
 * Publishes a message, which may answer another, or changes the message `of`; the answer names its place. The body is the text and nothing else,
 * so it is as long as the page has measured; or a form with a file, of which `progress(part)` tells how much has gone.
 */
export async function publish(room, { text, name, id, kind = "message", of, reply_to, file, progress, token }) {
  // Whose a message is, is told by the key and not by the name.
  const held = { ...keyed(kind === "message" ? name : true), ...ordering(token) };
  if (file) {
    const form = new FormData();
    const fields = Object.entries({ message: text, name, id, reply_to });
    for (const [field, value] of fields) if (value !== undefined && value !== null) form.append(field, value);
    form.append("file", file.blob, file.name);
    const options = { method: "POST", headers: { ...JSON_ACCEPTED, ...held }, body: form, progress };
    return (await ask(place(room), isPublished, options, UPLOAD_DEADLINE)).body;
  }
  const headers = { ...JSON_ACCEPTED, ...held, "Content-Type": "text/plain; charset=utf-8" };
  return (await ask(place(room, PUBLISH[kind], { name, id, of, reply_to }), isPublished, { method: "POST", headers, body: text })).body;
}

/** An address of the room that lets others in for a while, and until when. `origin` is what the reader's browser shows. */
export async function invite(room, origin) {
  const isOurs = ({ body }) => typeof body?.url === "string" && typeof body.expires === "string";
  return (await ask(place(room, "/invite", { origin }), isOurs, { method: "POST" })).body;
}

/** The messages before a cursor, oldest first; `previous` is null where the room begins. */
export function history(room, before, limit) {
  return past(room, { before, limit });
}

function past(room, part) {
  return messagesOf(place(room, "/history", part));
}

async function messagesOf(address, options) {
  const isOurs = ({ body }) => Array.isArray(body?.messages) && body.previous !== undefined;
  const { body } = await ask(address, isOurs, options);
  return { ...body, messages: timed(body.messages) };
}

/** The same messages, or rooms, with their times as numbers, in milliseconds: a page that holds many needs less memory so. */
function timed(all) {
  for (const each of all) {
    for (const time of ["at", "edited", "deleted"]) if (each[time]) each[time] = Date.parse(each[time]);
  }
  return all;
}

/** The message at a cursor; null if it is no longer kept, or there is none. */
export async function messageAt(room, around) {
  try {
    const { messages, gap } = await past(room, { around, limit: 1 });
    const last = messages.at(-1);
    return !gap && last?.kind === "message" ? last : null;
  } catch (error) {
    // It is no cursor.
    if (error.status === 400) return null;
    throw error;
  }
}

/** The first message that was said from this time on, or null. */
export async function messageFrom(room, at) {
  const { messages } = await past(room, { at, limit: 1 });
  return messages.find(({ kind }) => kind === "message") ?? null;
}

/**
 * The newest messages of these rooms in which the words of `q` stand, oldest first. `previous` is null at the end; a
 * search that was cut has looked back to `since`.
 */
export function search(rooms, { q, before }, signal) {
  return messagesOf(place(rooms, "/history", { q, before }), { signal, headers: JSON_ACCEPTED });
}

/** Who is in the room. */
export async function people(room) {
  return (await ask(place(room, "/people"), ({ body }) => Array.isArray(body?.people))).body.people;
}

/** The rooms with the newest messages. */
export async function rooms() {
  return timed((await ask(`${ROOMS}?order=recent`, ({ body }) => Array.isArray(body?.rooms))).body.rooms);
}

/** Leaves the room, unless the person is back within the wait. It works in a page that is closing. */
export function leave(room, name, wait) {
  const address = place(room, "/leave", { wait });
  // A beacon has no headers of ours.
  const form = new URLSearchParams({ name, key: key() });
  if (navigator.sendBeacon?.(address, form)) return;
  fetch(address, { method: "POST", body: form, keepalive: true }).catch(() => {});
}
