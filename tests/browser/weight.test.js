// What the page costs, and which hosts it asks.

import assert from "node:assert/strict";

import { browser, say, sent, test, until } from "./browser.js";
import { Server } from "./server.js";

// A server of its own: the list of rooms comes with the page, and other tests make many rooms.
const server = await Server.start({ store: "memory:" });

/** The whole page over the wire, in bytes. */
const MOST = 75 * 1024;

/** Opens a room, and gives the bytes that came over the wire, with their headers, and all addresses. */
async function load(context, room) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  const asked = { page, bytes: 0, addresses: [], fetched: [] };
  session.on("Network.requestWillBeSent", ({ request }) => asked.addresses.push(request.url));
  session.on("Network.responseReceived", ({ response }) => {
    if (!response.fromDiskCache && !response.fromPrefetchCache) asked.fetched.push(response.url);
  });
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (asked.bytes += encodedDataLength));
  await page.goto(`${server.origin}/chat/${room}`);
  await page.locator("html.ready").waitFor();
  return asked;
}

test("the whole page is under 75 KB over the wire, and asks only its server", async () => {
  const context = await browser(server);
  const first = await load(context, "weight");
  assert.ok(first.bytes < MOST, `${first.bytes} bytes`);
  await first.page.locator("#name").fill("anna");
  await say(first.page, "hello");
  await sent(first.page);
  await first.page.locator("#share-button").click();
  for (const address of first.addresses) assert.equal(new URL(address).origin, server.origin);
  const again = await load(context, "weight");
  assert.ok(again.bytes < MOST / 3, `${again.bytes} bytes the second time`);
});

test("what makes it an app is asked for later, and is under 16 KB", async () => {
  const html = await (await fetch(`${server.direct}/chat/app`, { headers: { Accept: "text/html" } })).text();
  const manifest = /"(\/page\/manifest-[^"]*)"/.exec(html)[1];
  const { icons } = await (await fetch(server.direct + manifest)).json();
  const files = [manifest, "/page/worker.js", ...icons.map(({ src }) => `/page/${src}`)];
  const sizes = files.map(async (file) => {
    const reply = await fetch(server.direct + file, { headers: { "Accept-Encoding": "gzip" } });
    return Number(reply.headers.get("Content-Length"));
  });
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 0 && bytes < 16 * 1024, `${bytes} bytes`);
});

// Each load asked for 30 files, one import after the other, and each time again.
test("the page is three files, and no later load asks for them", async () => {
  const context = await browser(server, { serviceWorkers: "allow" });
  const files = ({ fetched }) => fetched.filter((address) => address.includes("/page/")).length;
  const first = await load(context, "cached");
  assert.ok(files(first) >= 2 && files(first) <= 3, `${first.fetched}`);
  const isKept = async () => navigator.serviceWorker.controller !== null && (await caches.match(location.pathname)) !== undefined;
  await until("the worker has them", () => first.page.evaluate(isKept));
  await first.page.close();
  const again = await load(context, "cached-too");
  assert.ok(again.addresses.some((address) => address.includes("/page/")));
  // A file in the memory of the browser is listed as requested, and is no byte on the wire.
  assert.ok(again.bytes < 8 * 1024, `${again.bytes} bytes the second time`);
});
