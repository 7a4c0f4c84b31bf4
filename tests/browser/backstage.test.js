// The backstage: both engines on one page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { browser, test, until } from "./browser.js";
import { Server } from "./server.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const blocking = await Server.backstage("blocking");
const async = await Server.backstage("async");
const both = [blocking, async];
const address = `${blocking.origin}/backstage?beside=${encodeURIComponent(async.origin)}`;

/** The panel of an engine. */
const panel = (page, server) => page.locator(`.engine[data-engine="${server === blocking ? "blocking" : "async"}"]`);

/** The next frame of a server, read by no browser. */
async function frame(server) {
  const stop = new AbortController();
  const reply = await fetch(`${server.direct}/backstage/events`, { signal: stop.signal });
  let text = "";
  for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const data = /^data: (.*)\n\n/m.exec(text);
    if (!data) continue;
    stop.abort();
    return JSON.parse(data[1]);
  }
}

/** The page in a browser, when it shows both engines. */
async function open(context) {
  const page = await context.newPage();
  await page.goto(address);
  for (const server of both) await panel(page, server).waitFor();
  return page;
}

/** Waits until a failure is on, or off, at both servers. */
async function failing(name, on) {
  for (const server of both) await until(`${name}: ${on}`, async () => (await frame(server)).failures[name] === on);
}

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

test("the keyboard and a screen reader have all of it, in light and dark", async () => {
  // axe makes functions from text, which the page's policy would forbid.
  const context = await browser(blocking, { bypassCSP: true, viewport: { width: 1280, height: 800 } });
  const page = await open(context);
  const reached = [];
  const here = () => document.activeElement.id || document.activeElement.getAttribute("aria-labelledby");
  while (reached.at(-1) !== "engine-2-mailbox") {
    assert.ok(reached.length < 60, `Tab goes through ${reached}`);
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(here));
    const by = reached.at(-1);
    if (by === "lever-rate") {
      // From 2 to 5 a second, by the slider alone.
      await page.keyboard.press("ArrowRight");
      for (const server of both) await until("5 a second", async () => (await frame(server)).levers.rate === 5);
    } else if (by === "failure-store") {
      for (const on of [true, false]) {
        await page.keyboard.press("Space");
        await failing("store", on);
      }
    }
  }
  const tables = ["posts", "threads", "figures", "mailbox"].map((name) => `engine-1-${name}`);
  const controls = ["projector", "lever-waiters", "lever-waiters-number", "failure-stall", "failure-pin"];
  for (const id of [...controls, ...tables]) assert.ok(reached.includes(id), `Tab reaches ${id}, not only ${reached}`);

  // A canvas says in words what it shows.
  const grid = panel(page, async).locator(".grid canvas");
  const words = await panel(page, async).locator(".grid p").getAttribute("id");
  assert.equal(await grid.getAttribute("aria-labelledby"), words);
  assert.equal(await page.locator("canvas:not([role=img][aria-labelledby])").count(), 0);
  assert.equal(await page.locator("table:not(:has(caption))").count(), 0);
  assert.equal(await page.locator("th:not([scope])").count(), 0);

  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], colorScheme);
  }
  // So it is on a phone, and when a browser magnifies four times.
  await page.setViewportSize({ width: 320, height: 640 });
  await page.getByRole("button", { name: "Large type" }).click();
  assert.match(page.url(), /projector/);
  await until("nothing is wider", () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.deepEqual(await violations(page), [], "narrow");
});
