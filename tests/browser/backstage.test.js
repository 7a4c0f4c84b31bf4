// The backstage: both engines on one page, each lever and each failure, against what /metrics and /proc say.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";

import { browser, test, until } from "./browser.js";
import { Server } from "./server.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Where the pictures go, if anybody wants them. */
const { PICTURES } = process.env;

const blocking = await Server.backstage("blocking");
const async = await Server.backstage("async");
const both = [blocking, async];
const address = `${blocking.origin}/backstage?beside=${encodeURIComponent(async.origin)}`;

/** What /metrics says. */
async function metrics(server) {
  const text = await (await fetch(`${server.direct}/metrics`)).text();
  const found = [...text.matchAll(/^comet_chat_(\w+?)(?:\{[^}]*\})? (\S+)$/gm)];
  const figures = {};
  // Those that differ by a label only are one figure here.
  for (const [, name, value] of found) figures[name] = (figures[name] ?? 0) + Number(value);
  return figures;
}

/** A line of /proc/PID/status. */
function status(server, name) {
  const text = readFileSync(`/proc/${server.process.pid}/status`, "utf8");
  return new RegExp(`^${name}:\\s+(.*)$`, "m").exec(text)[1];
}

const threads = (server) => Number(status(server, "Threads"));
const files = (server) => readdirSync(`/proc/${server.process.pid}/fd`).length;
const limit = (server) => /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/limits`, "utf8"))[1];

/** The panel of an engine. */
const panel = (page, server) => page.locator(`.engine[data-engine="${server === blocking ? "blocking" : "async"}"]`);

/** What the cells say in words. */
const words = (page, server) => panel(page, server).locator(".grid p").first();

/** A figure in one of a panel's tables, as it stands there. */
async function figure(page, server, name, column = 0) {
  const cells = panel(page, server).locator(`tr[data-figure="${name}"] td`);
  return (await cells.nth(column).textContent()).trim();
}

const number = (text) => Number(/[\d,.]+/.exec(text)?.[0].replaceAll(",", ""));

/** Whether two figures of what moves are the same within a tenth, and a few. */
const isClose = (one, other) => Math.abs(one - other) <= 0.1 * Math.max(one, other) + 5;

async function threadsShown(page, server) {
  return number((await panel(page, server).locator("caption", { hasText: "Threads:" }).textContent()).split(":")[1]);
}

async function pull(page, name, value) {
  await page.locator(`#lever-${name}-number`).fill(`${value}`);
  await page.locator(`#lever-${name}-number`).press("Enter");
  const stands = async (server) => (await frame(server)).levers[name] === value;
  for (const server of both) await until(`${name} is ${value}`, () => stands(server));
}

/** The newest frame of each server, read by no browser. There is one stream of each, as few may look at once. */
const frames = new Map();

async function look(server) {
  const reply = await fetch(`${server.direct}/backstage/events`);
  let text = "";
  for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2))
      frames.set(server, JSON.parse(/^data: (.*)$/m.exec(text)[1]));
  }
}

async function follow(server) {
  while (server.process.exitCode === null) {
    await look(server).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const server of both) follow(server);

const frame = (server) => until("a frame", () => frames.get(server));

/** The page in a browser, when it shows both engines. */
async function open(context) {
  const page = await context.newPage();
  await page.goto(address);
  for (const server of both) await panel(page, server).waitFor();
  return page;
}

/** The card of a failure. */
const card = (page, name) => page.locator(`.failure:has(#failure-${name})`);

/** Flips the switch of a failure, and waits until both servers say so, and the page. */
async function flip(page, name, on) {
  const toggle = card(page, name).getByRole("switch");
  await toggle.click();
  await failing(name, on);
  await until(`the page says ${name}: ${on}`, async () => (await toggle.getAttribute("aria-checked")) === `${on}`);
  if (on) await card(page, name).locator(".seen").waitFor();
}

/** Pictures of the page: the cells in silence, after some messages, and while a message wakes them. */
async function pictures(page) {
  await page.setViewportSize({ width: 1280, height: 900 });
  const before = await Promise.all(both.map(async (server) => (await metrics(server)).deliveries_total));
  await pull(page, "rate", 2);
  for (const [n, server] of both.entries())
    await until("some messages", async () => (await metrics(server)).deliveries_total >= before[n] + 20_000, 240_000);
  await pull(page, "rate", 0);
  await page.locator("h1").click();
  const bands = async (server) => (await words(page, server).textContent()).match(/ s: /g)?.length;
  for (const server of both) await until("cells at every height", async () => (await bands(server)) >= 4);
  await page.screenshot({ path: `${PICTURES}/backstage-light.png` });
  await page.emulateMedia({ colorScheme: "dark" });
  await pull(page, "rate", 2);
  await page.locator("h1").click();
  await until("a flash", async () => number((await words(page, async).textContent()).split("·")[1]) > 0);
  await page.screenshot({ path: `${PICTURES}/backstage-dark.png` });
}

/** Waits until a failure is on, or off, at both servers. */
async function failing(name, on) {
  for (const server of both) await until(`${name}: ${on}`, async () => (await frame(server)).failures[name] === on);
}

/** Waits until the page says that the crowd did it at this server. */
function deed(page, name, server) {
  return card(page, name).locator(".note", { hasText: new RegExp(`\\d at ${server.engine}`) }).waitFor();
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
  const id = await words(page, async).getAttribute("id");
  assert.equal(await grid.getAttribute("aria-labelledby"), id);
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

test("both engines at a thousand waiters, as /metrics and /proc have it", async () => {
  const page = await open(await browser(blocking, { viewport: { width: 1280, height: 1180 } }));
  // In silence, as those who are woken are counted by nobody until they wait again.
  await pull(page, "rate", 0);
  await pull(page, "size", 1024);
  await pull(page, "waiters", 1000);
  for (const server of both) {
    const same = (what, shown, real) =>
      until(`${what} at ${server.engine}`, async () => isClose(number(await shown()), await real()));
    const waiting = async () => (await metrics(server)).waiters;
    await until("a thousand wait", async () => isClose(await waiting(), 1000));
    await same("the crowd", () => figure(page, server, "crowd"), waiting);
    await same("cells", () => words(page, server).textContent(), waiting);
    await same("threads", () => threadsShown(page, server), () => threads(server));
    await same("files", () => figure(page, server, "files"), () => files(server));
    await same("memory", () => figure(page, server, "resident"), () => number(status(server, "VmRSS")) / 1024);
  }
  assert.equal(await figure(page, async, "worker"), `${(await frame(async)).threads.worker}`);

  if (PICTURES) await pictures(page);
  await pull(page, "rate", 0);
  await pull(page, "waiters", 100);
  for (const server of both) await until("they went", async () => (await metrics(server)).waiters <= 100);

  // The rest hear a message each second. A thousand at each engine would be all that two cores can do, and more if
  // something runs beside.
  const before = await Promise.all(both.map(async (server) => (await metrics(server)).deliveries_total));
  await pull(page, "rate", 1);
  for (const [n, server] of both.entries()) {
    await until("a hundred have a message", async () => (await metrics(server)).deliveries_total >= before[n] + 100);
    await until("deliveries are shown", async () => number(await figure(page, server, "deliveries")) > 0);
    for (const who of ["first waiter", "last waiter"])
      await until(`a time to the ${who}`, async () => /\d [µm]?s$/.test(await figure(page, server, who, 2)));
    assert.equal(Buffer.byteLength((await server.said("lobby")).at(-1)), 1024);
  }
  await pull(page, "rate", 0);
  // What a server refuses is said.
  await page.locator("#lever-waiters-number").evaluate((field) => field.removeAttribute("max"));
  await page.locator("#lever-waiters-number").fill("1000000");
  await page.locator("#lever-waiters-number").press("Enter");
  await page.locator("#told", { hasText: /refuses/ }).waitFor();
  await until("the lever falls back", async () => (await page.locator("#lever-waiters-number").inputValue()) === "100");
});

test("each failure does to both engines what the page says", async () => {
  const page = await open(await browser(blocking));
  // In silence all wait at the same time, but those whose time is up just now.
  await pull(page, "rate", 0);
  await pull(page, "waiters", 100);
  const crowd = async (server, many) => until(`${many} wait`, async () => (await metrics(server)).waiters >= 0.95 * many);
  for (const server of both) await crowd(server, 100);

  await flip(page, "vanish", true);
  for (const server of both) await deed(page, "vanish", server);
  await flip(page, "vanish", false);
  for (const server of both) await crowd(server, 100);

  await flip(page, "slow", true);
  // A stream is one who waits, too.
  for (const server of both) {
    await until("more than a hundred wait", async () => (await metrics(server)).waiters > 100);
    await until("a stream is seen", async () => /stream/.test(await words(page, server).textContent()));
  }
  await flip(page, "slow", false);

  const requests = await Promise.all(both.map(async (server) => (await metrics(server)).requests_total));
  await flip(page, "burst", true);
  for (const [n, server] of both.entries()) {
    await deed(page, "burst", server);
    await until("they asked", async () => (await metrics(server)).requests_total > requests[n] + 500);
  }
  await flip(page, "burst", false);

  for (const server of both) await crowd(server, 100);
  // A room panics over a message.
  await pull(page, "rate", 2);
  await card(page, "panic").getByRole("switch").click();
  for (const server of both) {
    await until("a room restarted", async () => (await metrics(server)).room_restarts_total === 1);
    await until("the page says so", async () => (await figure(page, server, "restarts")).startsWith("1,"));
  }
  await failing("panic", false);

  await flip(page, "store", true);
  for (const server of both) {
    await assert.rejects(server.say("elsewhere", "anna", "hello"), /503/);
    await until("refused posts", async () => number((await figure(page, server, "faults")).split(",").at(-1)) > 0);
  }
  await flip(page, "store", false);
  for (const server of both) await server.say("elsewhere", "anna", "hello");

  // It ends by itself after a while, perhaps just before the click, which then begins it again.
  const limits = both.map(limit);
  const toggle = card(page, "files").getByRole("switch");
  const limited = new Set();
  await toggle.click();
  await until("fewer files at both", () => {
    for (const [n, server] of both.entries()) if (Number(limit(server)) < Number(limits[n])) limited.add(server);
    return limited.size === both.length;
  });
  await card(page, "files").locator(".seen").waitFor();
  await until("as many files as before", async () => {
    if ((await toggle.getAttribute("aria-checked")) === "true") await toggle.click();
    return both.every((server, n) => limit(server) === limits[n]);
  });

  const cores = both.map((server) => status(server, "Cpus_allowed_list"));
  await flip(page, "pin", true);
  for (const server of both) {
    assert.match(status(server, "Cpus_allowed_list"), /^\d+$/);
    await until("one core", async () => (await figure(page, server, "cores")) === "1");
  }
  await flip(page, "pin", false);
  assert.deepEqual(both.map((server) => status(server, "Cpus_allowed_list")), cores);

  // The last, as it is the worst.
  await flip(page, "stall", true);
  await panel(page, async).locator(".silence", { hasText: "no word for" }).waitFor();
  await deed(page, "stall", blocking);
  await flip(page, "stall", false);
  await until("it speaks again", async () => !(await panel(page, async).locator(".silence").isVisible()));

  for (const { text, code } of await page.locator(".seen [data-engine]").evaluateAll((sides) => sides.map((side) => ({ text: side.textContent, code: side.querySelectorAll("code").length }))))
    assert.ok(code > 0, text);
  assert.equal(await page.locator(".seen:visible").count(), 8);
  // Their crowds would keep this machine busy.
  for (const server of both) await server.end();
});
