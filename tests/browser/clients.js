// Real clients follow 5,000 messages in 8 rooms while the server is killed twice: each has every message, once, in
// each room's order. Prints a report, and fails if a client does not have them.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { browser, closeBrowsers, endChromium, startChromium, tab, until } from "./browser.js";
import { Server, endServers } from "./server.js";

const ROOMS = Array.from({ length: 8 }, (_, number) => `room-${number + 1}`);
const MESSAGES = 5_000;
const PUBLISHERS = 64;
const PATIENCE = 300_000;

const { ENGINE = "blocking", PYTHON = "python3" } = process.env;
const mortal = await Server.start();
const url = `${mortal.origin}/chat/${ROOMS.join(",")}`;
const start = Date.now();

/** What a client has seen: for each room the texts, in the order in which they came. */
class Seen {
  rooms = new Map(ROOMS.map((room) => [room, []]));
  count = 0;

  add(room, text) {
    this.rooms.get(room).push(text);
    this.count += 1;
    if (this.count === MESSAGES) this.seconds = (Date.now() - start) / 1000;
  }
}

const programs = [];

/** A program that prints ROOM, a tab and TEXT of each message. */
function program(command, ...args) {
  const seen = new Seen();
  const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => seen.add(...line.split("\t")));
  programs.push(child);
  return seen;
}

/** The EventSource of a real browser. */
async function eventSource() {
  const seen = new Seen();
  // What the server says in plain text lets nothing run in its place.
  const page = await (await browser(mortal, { bypassCSP: true })).newPage();
  await page.exposeFunction("add", (messages) => {
    for (const { room, text } of messages) seen.add(room, text);
  });
  await page.goto(`${mortal.origin}/help`);
  await page.evaluate((url) => {
    const came = [];
    new EventSource(url).addEventListener("message", ({ data }) => came.push(JSON.parse(data)));
    setInterval(() => came.length > 0 && window.add(came.splice(0)), 100);
  }, `${url}?kinds=message&after=oldest`);
  return seen;
}

/** The texts that a reader of the page sees, from its first line to its last. */
function scrolledThrough(page) {
  return page.locator("#log").evaluate(async (log) => {
    const texts = new Map();
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (log.scrollTop = 0; ; log.scrollTop += log.clientHeight / 2) {
      // The page learns in the first frame what is in view, and shows it in the second.
      await frame();
      await frame();
      const { top, bottom } = log.getBoundingClientRect();
      for (const row of log.querySelectorAll(".row.message")) {
        const box = row.getBoundingClientRect();
        if (box.bottom > top && box.top < bottom) texts.set(row.dataset.id, row.querySelector(".text").textContent);
      }
      if (log.scrollTop + log.clientHeight >= log.scrollHeight - 1) return [...texts.values()];
    }
  });
}

let published = 0;

/** Publishes messages one after another. Repeats each under its id until it is answered. */
async function publish(publisher) {
  const room = ROOMS[publisher % ROOMS.length];
  for (let number = 0; published < MESSAGES; number += 1) {
    published += 1;
    const text = `${publisher}/${number}`;
    const body = new URLSearchParams({ message: text, id: text });
    for (;;) {
      const reply = await fetch(`${mortal.origin}/chat/${room}`, { method: "POST", body }).catch(() => null);
      if (reply?.ok && (await reply.text()) === "ok") break;
      if (reply && reply.status !== 503) throw new Error(`${reply.status} for ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const here = (name) => fileURLToPath(new URL(`clients/${name}`, import.meta.url));
await startChromium();
let wrong = 0;
try {
  const clients = {
    "curl and sh, lines of JSON": program("sh", here("follow.sh"), url),
    "Python requests, JSON by Link": program(PYTHON, here("follow.py"), "json", url),
    "Python requests, plain text by Link": program(PYTHON, here("follow.py"), "plain", url),
    "Node.js, EventSource": program(process.execPath, here("follow.js"), url),
    "Chromium, EventSource": await eventSource(),
  };
  const [first] = ROOMS;
  const page = await tab(await browser(mortal, { name: "anna" }), first);

  const publishing = Promise.all(Array.from({ length: PUBLISHERS }, (_, publisher) => publish(publisher)));
  for (const part of [1 / 3, 2 / 3]) {
    await until("more messages", () => published > MESSAGES * part, PATIENCE);
    await mortal.kill();
    await mortal.restart();
  }
  await publishing;

  const kept = new Map();
  for (const room of ROOMS) kept.set(room, await mortal.said(room));
  const all = [...kept.values()].flat();
  const stored = new Set([...kept].flatMap(([room, texts]) => texts.map((text) => `${room}/${text}`)));
  if (stored.size !== MESSAGES || all.length !== MESSAGES)
    throw new Error(`${all.length} messages are stored, ${stored.size} of them once, of ${MESSAGES}`);

  console.log(`${MESSAGES} messages in ${ROOMS.length} rooms, two kill -9, the ${ENGINE} engine:`);
  const report = (name, isRight, what) => {
    console.log(`  ${isRight ? "✓" : "✗"} ${name.padEnd(38)} ${what}`);
    wrong += isRight ? 0 : 1;
  };
  for (const [name, seen] of Object.entries(clients)) {
    await until("", () => seen.count >= MESSAGES, PATIENCE).catch(() => {});
    const isRight = isDeepStrictEqual(seen.rooms, kept);
    report(name, isRight, isRight ? `all, once, in order, after ${seen.seconds.toFixed(1)} s` : `${seen.count} messages`);
  }
  let texts;
  const shows = async () => isDeepStrictEqual((texts = await scrolledThrough(page)), kept.get(first));
  const isRight = await until("", shows, PATIENCE / 5).catch(() => false);
  report("Chromium, the page of a room", isRight, isRight ? "all of the room, once, in order" : texts.join(" "));
} finally {
  for (const { pid } of programs) process.kill(-pid, "SIGKILL");
  const faults = await closeBrowsers();
  for (const fault of faults) console.log(`  ✗ ${fault}`);
  wrong += faults.length;
  await endChromium();
  await endServers();
}
process.exit(wrong === 0 ? 0 : 1);
