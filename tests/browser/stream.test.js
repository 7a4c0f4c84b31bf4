// Server-sent events, read by the two clients that people have: a browser's EventSource and curl.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";

import { browser, test, until } from "./browser.js";
import { Server } from "./server.js";

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => `message ${from + n}`);

test("an EventSource comes back after a kill and has everything once, in order", async () => {
  const mortal = await Server.start();
  // What the server says in plain text lets nothing run in its place.
  const page = await (await browser(mortal, { bypassCSP: true })).newPage();
  await page.goto(`${mortal.origin}/help`);
  await page.evaluate(() => {
    window.seen = [];
    window.source = new EventSource("/chat/events?after=oldest");
    window.source.addEventListener("message", ({ data }) => window.seen.push(JSON.parse(data).text));
  });
  const seen = (count) => until(`${count} seen`, async () => (await page.evaluate("seen.length")) >= count);
  for (let round = 0; round < 3; round += 1) {
    for (const text of numbers(round * 10 + 1, round * 10 + 5)) await mortal.say("events", "anna", text);
    await seen(round * 10 + 5);
    await mortal.kill();
    await mortal.restart();
    // This is said while the EventSource may still be away.
    for (const text of numbers(round * 10 + 6, round * 10 + 10)) await mortal.say("events", "anna", text);
  }
  await seen(30);
  assert.deepEqual(await page.evaluate("seen"), numbers(1, 30));
  await page.evaluate("source.close()");
  await mortal.end();
});

test("curl -N reads events, and goes on from the last one after a kill", async () => {
  const mortal = await Server.start();
  let text = "";
  const curl = (...headers) => {
    const accept = ["-H", "Accept: text/event-stream", ...headers.flatMap((header) => ["-H", header])];
    const process = spawn("curl", ["-sN", ...accept, `${mortal.origin}/chat/events?after=oldest`]);
    process.stdout.on("data", (data) => (text += data));
    return process;
  };
  const said = () => [...text.matchAll(/^event: message\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data).text);

  const first = curl();
  for (const message of numbers(1, 5)) await mortal.say("events", "anna", message);
  await until("five events", () => said().length === 5);
  const ended = new Promise((resolve) => first.on("close", resolve));
  await mortal.kill();
  await ended;
  await mortal.restart();
  for (const message of numbers(6, 10)) await mortal.say("events", "anna", message);

  const last = [...text.matchAll(/^id: (.*)$/gm)].at(-1)[1];
  const second = curl(`Last-Event-ID: ${last}`);
  await until("ten events", () => said().length >= 10);
  assert.deepEqual(said(), numbers(1, 10));
  second.kill();
  await mortal.end();
});
