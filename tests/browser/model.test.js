// The tabs of a browser against a model of the server: many orders of events.

import { fileURLToPath } from "node:url";

import { browser, newSeed, sources, test } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** So many plays, or fewer if they take long, in milliseconds. */
const PLAYS = 20;
const LONG = 60_000;

test("tabs that open and close at random see each message once and in order, and count what is unread", async () => {
  const seed = newSeed();
  // What the server says in plain text lets nothing run in its place.
  const context = await browser(server, { bypassCSP: true });
  await sources(context);
  const path = fileURLToPath(new URL("model.js", import.meta.url));
  await context.route("**/model.js", (route) => route.fulfill({ path, contentType: "text/javascript" }));
  // Each play has a page of its own, as it takes the clock and the storage.
  const end = Date.now() + LONG;
  for (let n = 0; n < PLAYS && (n === 0 || Date.now() < end); n += 1) {
    const page = await context.newPage();
    await page.goto(`${server.origin}/help`);
    await page.evaluate(async ([seed, steps]) => (await import("/model.js")).play(seed, steps), [seed + n, 400]);
    await page.close();
  }
});
