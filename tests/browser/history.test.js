// What was said before: all of it is there, little of it is built.

import assert from "node:assert/strict";

import { browser, setHidden, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** More nodes than this in the log would make a phone slow. */
const FEW = 2_500;

const text = (n) => `number ${n}. ${"All work and no play. ".repeat(n % 7)}`;

/** Says many things, several at a time; gives them in the room's order. */
async function fill(room, from, to) {
  let next = from;
  const hand = async (name) => {
    while (next < to) {
      next += 1;
      await server.say(room, name, text(next - 1));
    }
  };
  await Promise.all(["ben", "ben", "ben", "cleo", "cleo", "cleo"].map(hand));
  return server.said(room);
}

/** What the log has built: the texts of messages by chunk, top to bottom, and the number of nodes. */
function built(page) {
  return page.locator("#log").evaluate((log) => {
    const texts = (chunk) => Array.from(chunk.querySelectorAll(".text"), (node) => node.textContent);
    const chunks = Array.from(log.querySelectorAll("#chunks > ol"), texts).filter(({ length }) => length > 0);
    return { chunks, nodes: log.querySelectorAll("*").length };
  });
}

const newest = async (page) => (await built(page)).chunks.at(-1).at(-1);

/** Scrolls up by steps until nothing older is kept; calls back at each stop. */
async function scrollUp(page, visit) {
  const step = () =>
    page.locator("#log").evaluate(async (log) => {
      const before = log.scrollTop;
      log.scrollBy(0, -2_000);
      // The page learns of it in the next frame, and has built what it needs in the one after.
      for (let n = 0; n < 2; n += 1) await new Promise((done) => requestAnimationFrame(done));
      const all = document.getElementById("edge").textContent.startsWith("The beginning");
      return all && log.scrollTop === before;
    });
  for (let ended = false; !ended;) {
    ended = await step();
    await visit();
  }
}

test("5,000 messages scroll by, each in its place, with few nodes at a time", async () => {
  const order = await fill("long", 0, 5_000);
  const places = new Map(order.map((text, place) => [text, place]));
  const page = await tab(await browser(server), "long");
  assert.equal(await newest(page), order.at(-1));
  const seen = new Set();
  let most = 0;
  const visit = async () => {
    const { chunks, nodes } = await built(page);
    let last = -1;
    for (const texts of chunks) {
      const first = places.get(texts[0]);
      assert.ok(first > last, "chunks stand in order");
      assert.deepEqual(texts, order.slice(first, first + texts.length));
      last = first + texts.length - 1;
      texts.forEach((text) => seen.add(text));
    }
    most = Math.max(most, nodes);
  };
  await scrollUp(page, visit);
  assert.equal(seen.size, 5_000);
  assert.ok(most < FEW, `${most} nodes`);
  await page.locator("#down").click();
  await until("the newest is in view", () =>
    page
      .locator("#log .row.message")
      .last()
      .evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight),
  );
});

test("a thousand messages that arrive while one reads leave few nodes and the place", async () => {
  await fill("flood", 0, 100);
  const page = await tab(await browser(server), "flood");
  await page.locator("#log").evaluate((log) => (log.scrollTop -= 800));
  const place = () =>
    page.locator("#log .row.message").evaluateAll((rows) => {
      const top = document.getElementById("log").getBoundingClientRect().top;
      const first = rows.find((row) => row.getBoundingClientRect().top > top);
      return `${first.dataset.id} ${Math.round(first.getBoundingClientRect().top)}`;
    });
  const before = await until("a place", place);
  const order = await fill("flood", 100, 1_100);
  assert.equal(await page.locator("#down-count").textContent(), "99+");
  await until("all have come", async () => (await newest(page)) === order.at(-1));
  assert.equal(await place(), before);
  assert.ok((await built(page)).nodes < FEW);
  await page.locator("#down").click();
  await until("the last is in view", () =>
    page
      .locator("#log .row.message")
      .last()
      .evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight),
  );
  await page.locator("#down").waitFor({ state: "hidden" });
});

test("a tab that is open for weeks lets the oldest go, and history brings them back", async () => {
  const order = await fill("weeks", 0, 20);
  const page = await tab(await browser(server), "weeks");
  await until("the beginning", async () => (await built(page)).chunks[0][0] === order[0]);
  await page.evaluate((count) => {
    const after = document.body.dataset.next;
    const message = (n) => ({ id: `later-${n}`, kind: "message", name: "ben", text: `later ${n}` });
    const messages = Array.from({ length: count }, (_, n) => ({
      ...message(n),
      at: new Date().toISOString(),
    }));
    const next = messages.at(-1).id;
    new BroadcastChannel("comet-chat").postMessage({ is: "news", room: "weeks", after, messages, next });
  }, 10_100);
  await until("all have come", async () => (await newest(page)) === "later 10099");
  const { chunks, nodes } = await built(page);
  assert.ok(!chunks.flat().includes(order[0]));
  assert.ok(nodes < FEW, `${nodes} nodes`);
  let asked = false;
  page.on("request", (request) => (asked ||= /history\?before=later-\d+/.test(request.url())));
  await until("history is asked", async () => {
    await page.locator("#log").evaluate((log) => (log.scrollTop = 0));
    return asked;
  });
});

test("the log stays at its end only if it was there", async () => {
  await fill("end", 0, 30);
  const page = await tab(await browser(server), "end");
  const log = page.locator("#log");
  const distance = () =>
    log.evaluate((log) => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight));
  await server.say("end", "ben", text(30));
  await until("it came", async () => (await newest(page)) === text(30));
  assert.equal(await distance(), 0);
  await page.setViewportSize({ width: 900, height: 400 });
  await until("it stays there when the window shrinks", async () => (await distance()) === 0);
  await log.evaluate((log) => (log.scrollTop -= 300));
  const before = await log.evaluate((log) => log.scrollTop);
  await server.say("end", "ben", text(31));
  await page.getByRole("button", { name: /1 new/ }).waitFor();
  assert.equal(await log.evaluate((log) => log.scrollTop), before);
});

test("a reader who comes back long after finds where the old ended", async () => {
  const context = await browser(server, { name: "anna" });
  await fill("absent", 0, 10);
  const page = await tab(context, "absent");
  await until("it is read", () => page.evaluate(() => localStorage.getItem("comet-chat/read/absent")));
  await page.close();
  const order = await fill("absent", 10, 180);
  const again = await tab(context, "absent");
  await again.locator("#marker").waitFor();
  assert.equal(await again.locator("#marker + .row .text").textContent(), order[10]);
  const inView = () =>
    again.locator("#marker").evaluate((marker) => marker.getBoundingClientRect().top < innerHeight / 2);
  assert.ok(await inView());
});

test("who looks away at the end comes back to where the new begins", async () => {
  const before = await fill("look", 0, 20);
  const page = await tab(await browser(server), "look");
  await until("it is there", async () => (await newest(page)) === before.at(-1));
  await setHidden(page, true);
  const order = await fill("look", 20, 60);
  await until("it has come", async () => (await newest(page)) === order.at(-1));
  await setHidden(page, false);
  const marker = page.locator("#marker");
  assert.equal(await marker.locator("+ .row .text").textContent(), order[20]);
  const top = await marker.evaluate((row) => row.getBoundingClientRect().top);
  assert.ok(top > 0 && top < 200, `the marker is ${top} px below the top`);
});

test("days, and who came and went, stand between what was said", async () => {
  const context = await browser(server);
  // Yesterday, as far as the page knows.
  await context.addInitScript(() => {
    const now = Date.now;
    const day = 24 * 60 * 60 * 1000;
    Date.now = () => now() + day;
  });
  await server.say("days", "ben", "hello");
  const page = await tab(context, "days");
  await showing(page, ["hello"]);
  assert.equal(await page.locator("#log .row.day").textContent(), "Yesterday");
  for (const name of ["cleo", "dora", "emil", "fritz"])
    await page.request.get(`${server.origin}/chat/days?after=latest&wait=0&name=${name}`);
  await page.getByText(/others joined/).click();
  assert.equal(await page.locator("#log .row.presence li:visible").count(), 4);
  await page.request.post(`${server.origin}/chat/days/leave`, { form: { name: "emil" } });
  await page.request.get(`${server.origin}/chat/days?after=latest&wait=0&name=fritz`);
  await page.getByText("emil came by").waitFor();
});
