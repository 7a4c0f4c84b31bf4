// The service worker: a room opens without a network too, with what was read there and the form to write in.
//
// It keeps three things in the browser's cache: the page of each room without its messages, the files that these pages
// name, and the newest messages of each room, which the page itself puts there (offline.js). What is written waits in
// the page's outbox. Whoever is no longer let in finds nothing: all of it goes with the first refusal.
//
// With a network the page is the server's, but for its beginning, which comes from here at once (early.js).

import { beginningOf, begun, heeded, isSame } from "./early.js";

/** Where this chat stands: its address and, behind a proxy, its prefix. */
const HOME = new URL("..", location);
const ROOMS = `${HOME.pathname}chat`;
const FILES = `${HOME.pathname}page/`;

/** By this script a page that began otherwise than the server's is loaded again, before any other script runs. */
const AGAIN = { path: `${FILES}again.js`, script: "stop(); location.reload();" };

/** What begins the names of all that this browser keeps of this server. */
const OWN = `comet-chat${HOME.pathname.slice(0, -1)}`;
const CACHES = { pages: `${OWN} pages`, files: `${OWN} files`, kept: `${OWN} kept` };

/** How long a page may take to come, before the reader gets what is kept, in milliseconds. */
const PATIENCE = 4_000;

/** How long the worker leaves a new page alone before it learns from it: the page has work to do first. In milliseconds. */
const QUIET = 1_000;

/** The most rooms whose page is kept. */
const MOST = 32;

/** Messages that were kept longer ago than this are not shown, in milliseconds. */
const AGE = 7 * 24 * 60 * 60 * 1000;

/** What a proxy says of a server that it does not reach. */
const AWAY = [502, 503, 504];

/** The list of messages in a page. Whatever people write stands in it without "<". */
const LIST = /<ol class="messages">[^]*?<\/ol>/;

/** The header of a kept page that begins as the one before it did. */
const SURE = "chat-begins-alike";

/** The rooms whose page is about to be loaded again. */
const again = new Set();

/** Settles when there is no page any more to learn from. */
let lastLearned = Promise.resolve();

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil(begin()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, searchParams } = new URL(request.url);
  if (request.method !== "GET" || origin !== HOME.origin) return;
  if (pathname.startsWith(FILES)) event.respondWith(file(request));
  else if (request.mode === "navigate" && isRoom(pathname) && !searchParams.has("view"))
    event.respondWith(searchParams.has("start") ? start(event, pathname) : page(event, pathname));
});

addEventListener("notificationclick", (event) => {
  const { notification } = event;
  notification.close();
  event.waitUntil(show(notification.data.address));
});

function isRoom(pathname) {
  return pathname === ROOMS || (pathname.startsWith(`${ROOMS}/`) && !pathname.slice(ROOMS.length + 1).includes("/"));
}

/** The room of a page, as its address. */
function roomAt(pathname) {
  return pathname === ROOMS ? `${ROOMS}/lobby` : pathname;
}

/** The pages that are open were loaded before there was a worker. */
async function begin() {
  await registration.navigationPreload?.enable();
  await clients.claim();
  for (const { url } of await clients.matchAll({ type: "window" })) {
    const { pathname } = new URL(url);
    if (isRoom(pathname)) await fetch(pathname, { headers: { Accept: "text/html" } }).then((reply) => learn(pathname, reply), () => {});
  }
}

/** The room that was opened last: where the app on a home screen begins. */
async function start(event, pathname) {
  const rooms = await (await caches.open(CACHES.pages)).keys();
  return rooms.length > 0 ? Response.redirect(rooms.at(-1).url) : page(event, pathname);
}

/** The page of a room. It begins at once where that is known to be as the server's. */
async function page(event, pathname) {
  const room = roomAt(pathname);
  const answer = answered(event, pathname);
  const isAgain = again.delete(room);
  // What else stands in an address may lead elsewhere.
  if (isAgain || new URL(event.request.url).search !== "") return answer;
  // A server that is near is faster.
  const beginning = await Promise.race([beginningAt(room), answer.then(() => undefined)]).catch(() => undefined);
  if (!beginning) return answer;
  const { reply, sent } = begun(beginning, answer, (reply) => instead(room, reply));
  event.waitUntil(sent);
  return reply;
}

/** The page from the server, or what is kept of it if none comes in time. */
async function answered(event, pathname) {
  const reply = preloaded(event);
  event.waitUntil(reply.then((reply) => learnLater(pathname, reply.clone()), () => {}));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const came = await Promise.race([reply, late]).catch(() => undefined);
  if (came && !AWAY.includes(came.status)) return came;
  return (await shell(roomAt(pathname))) ?? reply;
}

/** How the page of a room begins. Without preloading the server takes the browser for one without the files. */
async function beginningAt(room) {
  if (!registration.navigationPreload || !globalThis.TransformStream) return undefined;
  const page = await (await caches.open(CACHES.pages)).match(room);
  return page?.headers.has(SURE) ? beginningOf(page, await page.text()) : undefined;
}

/**
 * What follows the beginning of a page if the server's begins otherwise, or there is none: the page is loaded again, and is
 * what the server says, or the browser. That is once, and not at each visit, also where each page begins otherwise.
 */
async function instead(room, reply) {
  again.add(room);
  await (isRefusal(reply) ? forget() : doubt(room)).catch(() => {});
  // The address is without the place in the page: to that a browser would only scroll.
  const refresh = `<noscript><meta http-equiv="refresh" content="0; url=${escaped(room)}"></noscript>`;
  return `<body>${refresh}<script src="${escaped(AGAIN.path)}"></script></body>`;
}

/** Has a page not begin at once, until one begins as the one before it. */
async function doubt(room) {
  const pages = await caches.open(CACHES.pages);
  const page = await pages.match(room);
  if (page) await pages.put(room, new Response(page.body, { headers: heeded(page) }));
}

async function preloaded({ preloadResponse, request }) {
  return (await preloadResponse) ?? fetch(request);
}

/** A refusal is heeded at once. */
async function learnLater(pathname, reply) {
  if (reply.ok) await new Promise((resolve) => setTimeout(resolve, QUIET));
  await learn(pathname, reply);
}

/** Learns from one page after the other: between two steps of one, another would take its files for those of no page. */
async function learn(pathname, reply) {
  if (isRefusal(reply)) return forget();
  if (!reply.ok || reply.redirected) return;
  const html = await reply.text();
  lastLearned = lastLearned.then(() => learnFrom(pathname, reply, html)).catch(() => {});
  await lastLearned;
}

function isRefusal(reply) {
  return reply?.status === 401 && reply.headers.get("WWW-Authenticate")?.includes("comet-chat");
}

/** Keeps the page of a room without its messages, if it is this server's own. */
async function learnFrom(pathname, reply, html) {
  if (!html.includes("<body data-room=")) return;
  // A server that has no worker wants none.
  if (!html.includes("data-worker")) return leave();
  const empty = html.replace(LIST, "");
  if (empty === html) return;
  const pages = await caches.open(CACHES.pages);
  const isNew = await keepFiles(empty);
  const room = roomAt(pathname);
  const last = await pages.match(room);
  const isSure = !last || isSame(beginningOf(last, await last.text()), beginningOf(reply, html));
  const headers = [...heeded(reply), ...(isSure ? [[SURE, "true"]] : [])];
  // The newest stands last.
  await pages.delete(room);
  await pages.put(room, new Response(html.replace(LIST, '<ol class="messages"></ol>'), { headers }));
  const all = await pages.keys();
  for (const old of all.slice(0, -MOST)) await pages.delete(old);
  if (isNew) await tidy(pages);
}

/** Keeps the files that a page names. Gives whether there are new ones. */
async function keepFiles(html) {
  const files = await caches.open(CACHES.files);
  let isNew = false;
  for (const name of namedIn(html)) {
    if (await files.match(name)) continue;
    const reply = await fetch(name);
    // Something else may have answered in the server's place.
    if (!reply.ok || !reply.headers.get("Cache-Control")?.includes("immutable")) continue;
    await files.put(name, reply);
    isNew = true;
  }
  return isNew;
}

/** Keeps no file that no page names any more. */
async function tidy(pages) {
  const files = await caches.open(CACHES.files);
  const named = new Set();
  for (const room of await pages.keys()) for (const name of namedIn(await (await pages.match(room)).text())) named.add(name);
  for (const { url } of await files.keys()) if (!named.has(new URL(url).pathname)) await files.delete(url);
}

function namedIn(html) {
  return Array.from(html.matchAll(/="([^"]*\/page\/[^"]+-[0-9a-f]{16}\.[a-z]+)"/g), ([, name]) => name);
}

async function file(request) {
  if (new URL(request.url).pathname === AGAIN.path)
    return new Response(AGAIN.script, { headers: { "Content-Type": "text/javascript" } });
  const files = await caches.open(CACHES.files);
  return (await files.match(request.url, { ignoreVary: true })) ?? fetch(request);
}

/** The page of a room as this browser keeps it: with the messages that were read. */
async function shell(room) {
  const [pages, kept] = await Promise.all([caches.open(CACHES.pages), caches.open(CACHES.kept)]);
  const [page, record] = await Promise.all([pages.match(room), kept.match(room)]);
  if (!page || !record) return undefined;
  const { messages, next, at } = await record.json();
  if (Date.now() - at > AGE) return undefined;
  const list = `<ol class="messages">${messages.map(row).join("")}</ol>`;
  const html = (await page.text()).replace(LIST, () => list).replace(/ data-next="[^"]*"/, () => ` data-next="${escaped(next)}"`);
  return new Response(html, page);
}

/** A message, as the page's script reads it. */
function row({ text, rule, ...parts }) {
  // The text of a rule stands where that of a message has a paragraph.
  const data = rule === undefined ? parts : { ...parts, text: rule };
  const said = Object.entries(data).filter(([, value]) => value !== false && value !== undefined);
  const attributes = said.map(([name, value]) => ` data-${name.replace("_", "-")}="${escaped(value)}"`);
  return `<li class="row message"${attributes.join("")}><p class="text" dir="auto">${escaped(text)}</p></li>`;
}

function escaped(value) {
  return String(value).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

async function forget() {
  for (const name of [CACHES.pages, CACHES.kept]) await caches.delete(name);
}

async function leave() {
  await forget();
  await caches.delete(CACHES.files);
  await registration.unregister();
}

/** Shows the room of a notification: in the window that has it, or in a new one. */
async function show(address) {
  const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find(({ url }) => roomAt(new URL(url).pathname) === address);
  await (there ? there.focus() : clients.openWindow(address));
}
