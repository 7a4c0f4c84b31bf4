// The past: all messages are there, and the page builds only a few of them.

import assert from "node:assert/strict";

import { browser, say, sent, setHidden, showing, tab, test, until } from "./browser.js";
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
      const view = log.getBoundingClientRect();
      const isNear = ({ top, bottom }) => bottom > view.top - 900 && top < view.bottom + 900;
      const missing = () =>
        Array.from(document.querySelectorAll("#chunks > ol:empty"), (box) => box.getBoundingClientRect()).some(isNear);
      do {
        // The page notices in the next frame, and builds what it needs after that.
        for (let n = 0; n < 2; n += 1) await new Promise((done) => requestAnimationFrame(done));
      } while (missing());
      const all = document.getElementById("edge").textContent.startsWith("The beginning");
      return all && log.scrollTop === before;
    });
  for (let ended = false; !ended;) {
    ended = await step();
    await visit();
  }
}

/** Scrolls so far above the end, and waits until the page has noticed. */
function leaveEnd(page, pixels) {
  const leave = async (log, pixels) => {
    log.scrollTop = log.scrollHeight - log.clientHeight - pixels;
    // Until it has heard of this, the page may still show the button, or take the log back to the end.
    for (let n = 0; n < 2; n += 1) await new Promise((done) => requestAnimationFrame(done));
    const above = log.scrollHeight - log.clientHeight - log.scrollTop;
    return !document.getElementById("down").hidden && Math.abs(above - pixels) < 2;
  };
  return until("it is above the end", () => page.locator("#log").evaluate(leave, pixels));
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

test("a thousand messages that arrive while somebody reads leave few nodes, and the place stays", async () => {
  await fill("flood", 0, 100);
  const page = await tab(await browser(server), "flood");
  await leaveEnd(page, 800);
  const place = () =>
    page.locator("#log .row.message").evaluateAll((rows) => {
      const view = document.getElementById("log").getBoundingClientRect();
      const first = rows.find((row) => row.getBoundingClientRect().top > view.top);
      return { id: first.dataset.id, top: first.getBoundingClientRect().top };
    });
  const before = await place();
  const order = await fill("flood", 100, 1_100);
  await until("all have come", async () => (await newest(page)) === order.at(-1));
  assert.equal(await page.locator("#down-count").textContent(), "99+");
  const after = await place();
  assert.equal(after.id, before.id);
  assert.ok(Math.abs(after.top - before.top) < 3, `${after.top - before.top} px away`);
  await until("few nodes stay", async () => (await built(page)).nodes < FEW);
  await page.locator("#down").click();
  await until("the last is in view", () =>
    page
      .locator("#log .row.message")
      .last()
      .evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight),
  );
  await page.locator("#down").waitFor({ state: "hidden" });
});

test("a tab that is open for weeks drops the oldest messages, and history brings them back", async () => {
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
  await until("the log is at its end", async () => (await distance()) === 0);
  const height = () => log.evaluate((log) => log.clientHeight);
  const before = await height();
  await page.setViewportSize({ width: 900, height: 400 });
  await until("it stays there when the window shrinks", async () => (await height()) < before && (await distance()) === 0);
  // Rows grew just before the page heard that it had scrolled to the end, and it stayed above the end.
  await log.evaluate((log) => {
    document.getElementById("chunks").style.paddingBottom = "400px";
    log.dispatchEvent(new Event("scroll"));
  });
  await until("it stays there when rows grow", async () => (await distance()) === 0);
  await leaveEnd(page, 300);
  // Rows above are built about now, and then the log is longer: the row in view must stay in its place.
  const row = page.locator("#log .row.message", { hasText: text(30).trim() });
  const top = () => row.evaluate((row) => Math.round(row.getBoundingClientRect().top));
  const place = await top();
  await server.say("end", "ben", text(31));
  await page.getByRole("button", { name: /1 new/ }).waitFor();
  assert.ok(Math.abs((await top()) - place) <= 2);
});

test("a reader who comes back much later finds the end of the old messages", async () => {
  const context = await browser(server, { name: "anna" });
  await fill("absent", 0, 10);
  const page = await tab(context, "absent");
  await until("it is read", () => page.evaluate(() => localStorage.getItem("comet-chat/read/absent")));
  await page.close();
  const order = await fill("absent", 10, 180);
  const again = await tab(context, "absent");
  await again.locator("#marker").waitFor();
  assert.equal(await again.locator("#marker + .row .text").textContent(), order[10]);
  await until("it is in view", () => markerInView(again));
});

test("a reader who looks away at the end comes back to the first new message", async () => {
  const before = await fill("look", 0, 20);
  const page = await tab(await browser(server), "look");
  await until("it is there", async () => (await newest(page)) === before.at(-1));
  await setHidden(page, true);
  const order = await fill("look", 20, 60);
  await until("it has come", async () => (await newest(page)) === order.at(-1));
  await setHidden(page, false);
  const marker = page.locator("#marker");
  assert.equal(await marker.locator("+ .row .text").textContent(), order[20]);
  const top = () => marker.evaluate((row) => row.getBoundingClientRect().top);
  await until("the marker is near the top", async () => (await top()) > 0 && (await top()) < 200);
});

test("days, and people who came and went, stand between the messages", async () => {
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
  await until("four", async () => (await page.locator("#log .row.presence li:visible").count()) >= 4);
  await page.request.post(`${server.origin}/chat/days/leave`, { form: { name: "emil" } });
  // And so have all of them who do not come back for 15 s.
  await page.locator("#log .row.presence summary", { hasText: /(emil|others) came by/ }).waitFor();
});

const markedText = (page) => page.locator("#marker + .row .text").textContent();
const markerInView = (page) =>
  page.locator("#marker").evaluate((row) => {
    const { top } = row.getBoundingClientRect();
    return top > 0 && top < innerHeight / 2;
  });

// 700 missed messages had no marker and all counted as read: the page looked only through the last 500.
test("the first unread message is found however far back it is, and is so after a reload", async () => {
  const context = await browser(server, { name: "anna" });
  await fill("far", 0, 10);
  const page = await tab(context, "far");
  await until("it is read", () => page.evaluate(() => localStorage.getItem("comet-chat/read/far")));
  await page.close();
  const order = await fill("far", 10, 1_300);
  const again = await tab(context, "far");
  for (let round = 0; round < 2; round += 1) {
    await again.locator("#marker").waitFor();
    assert.equal(await markedText(again), order[10]);
    await until("it is in view", () => markerInView(again));
    assert.match(await again.title(), /^\(99\+\)/);
    await again.reload();
    await again.locator("html.ready").waitFor();
  }
});

// The last read message was no longer kept, so nothing was marked and everything counted as read.
test("missed messages are unread even if the last read one is no longer kept", async () => {
  const short = await Server.start({ store: "memory:", options: ["--keep", "60"] });
  const context = await browser(short, { name: "anna" });
  await short.say("short", "ben", "first");
  const page = await tab(context, "short");
  await until("it is read", () => page.evaluate(() => localStorage.getItem("comet-chat/read/short")));
  await page.close();
  for (let n = 0; n < 200; n += 1) await short.say("short", "ben", text(n));
  const again = await tab(context, "short");
  await again.locator("#marker").waitFor();
  const kept = await short.said("short");
  await again.locator("#log").evaluate((log) => (log.scrollTop = 0));
  await until("the oldest that is kept is marked", async () => (await markedText(again)) === kept[0]);
  await short.end();
});

// Rows are built again when older messages come before them, and when a reader comes back to them. What was opened was
// folded then.
test("a long text and a line of people that a reader opened stay open", async () => {
  const context = await browser(server, { name: "anna" });
  await fill("opened", 0, 300);
  for (const name of ["dora", "emil", "fritz"]) await server.join("opened", name);
  await server.say("opened", "ben", "long ".repeat(1_000));
  // So many that it stands in the oldest rows of a page that has just come.
  await fill("opened", 300, 330);
  const page = await tab(context, "opened");
  await page.getByRole("button", { name: "Show all of it" }).click();
  // Not that of those who leave.
  const people = page.locator("#log .row.presence", { hasText: "others joined" }).locator("details");
  await people.locator("summary").click();
  await until("it is open", () => people.evaluate((details) => details.open));
  await scrollUp(page, () => {});
  await page.locator("#log").evaluate((log) => (log.scrollTop = log.scrollHeight));
  await page.getByRole("button", { name: "Show less" }).waitFor();
  assert.ok(await people.evaluate((details) => details.open));
  await page.getByRole("button", { name: "Show less" }).click();
  await page.getByRole("button", { name: "Show all of it" }).waitFor();
});

// A newer server may give a message another id, as when cursors got a mark. Then all of the room was unread, after the
// page had loaded its whole history.
test("the marker stands where the reader stopped, though the message there has another id now", async () => {
  const context = await browser(server, { name: "anna" });
  const order = await fill("renamed", 0, 300);
  const page = await tab(context, "renamed");
  const key = "comet-chat/read/renamed";
  const read = (page) => page.evaluate((key) => localStorage.getItem(key), key);
  await until("it is read", () => read(page));
  await page.close();
  // No page of the chat is open now, so none writes it again.
  const other = await context.newPage();
  await other.goto(`${server.origin}/help`);
  await other.evaluate((key) => localStorage.setItem(key, localStorage.getItem(key).replace(/-[0-9a-f]+"$/, '"')), key);
  assert.match(await read(other), /^"[0-9a-f]+-[0-9]+"$/);
  await other.close();
  await server.say("renamed", "ben", "new");
  let loaded = 0;
  context.on("request", (request) => (loaded += /history/.test(request.url()) ? 1 : 0));
  const again = await tab(context, "renamed");
  await again.locator("#marker").waitFor();
  assert.equal(await markedText(again), "new");
  assert.equal(loaded, 0);
  await again.close();
  // And if nothing came meanwhile, nothing is unread.
  const last = await tab(context, "renamed");
  await showing(last, [...order, "new"].slice(-20), async (page) => (await built(page)).chunks.flat().slice(-20));
  assert.equal(await last.locator("#marker").count(), 0);
});

// 60 messages that came at once when the network was back scrolled the page of a reader, and counted as read.
test("messages that do not fit in view at once are unread, also for a reader who looks", async () => {
  const context = await browser(server, { name: "anna" });
  const before = await fill("glance", 0, 20);
  const page = await tab(context, "glance");
  await until("it is there", async () => (await newest(page)) === before.at(-1));
  const read = () => page.evaluate(() => localStorage.getItem("comet-chat/read/glance"));
  await until("it is read", read);
  await context.setOffline(true);
  await page.getByText("You are offline").waitFor();
  const order = await fill("glance", 20, 80);
  await context.setOffline(false);
  await page.locator("#marker").waitFor();
  await until("all is there", async () => (await newest(page)) === order.at(-1));
  const last = await read();
  const all = await server.all("glance");
  // The first of them may have come by the open poll, one by one.
  const missed = all.slice(all.findIndex(({ id }) => id === JSON.parse(last)) + 1).filter(({ kind }) => kind === "message");
  assert.ok(missed.length > 30);
  assert.equal(await markedText(page), missed[0].text);
  await until("the marker is in view", () => markerInView(page));
  assert.equal(await page.locator("#down-count").textContent(), String(missed.length));
  await page.locator("#down").click();
  await until("now it is read", async () => (await read()) !== last);
  assert.doesNotMatch(await page.title(), /^\(/);
});

// A tab that was open over midnight said "Today" of yesterday's lines, and then once more of today's.
test("days are named again at midnight, in the reader's language", async () => {
  for (const [locale, today, yesterday] of [
    ["en-US", "Today", "Yesterday"],
    ["de-DE", "Heute", "Gestern"],
  ]) {
    const context = await browser(server, { locale });
    await context.clock.install();
    const page = await context.newPage();
    const room = `midnight-${locale}`;
    await server.say(room, "ben", "before");
    await page.goto(`${server.origin}/chat/${room}`);
    await page.locator("html.ready").waitFor();
    const days = () => page.locator("#log .row.day").allTextContents();
    assert.deepEqual(await days(), [today]);
    const left = await page.evaluate(() => new Date().setHours(24, 0, 0, 0) - Date.now());
    await context.clock.fastForward(left + 5_000);
    await until("yesterday", async () => (await days())[0] === yesterday);
    await page.evaluate((room) => {
      const at = new Date().toISOString();
      const messages = [{ id: "later", kind: "message", name: "ben", text: "after", at }];
      const after = document.body.dataset.next;
      new BroadcastChannel("comet-chat").postMessage({ is: "news", room, after, messages, next: "later" });
    }, room);
    await until("today", async () => (await days()).length === 2);
    assert.deepEqual(await days(), [yesterday, today]);
  }
});

// 500 people who joined made 16 lines, and the page sent 523 requests in 22 s.
test("500 people who join are one line, and the page asks by the clock, not for each", async () => {
  const room = "crowd";
  await server.say(room, "ben", "before");
  const page = await tab(await browser(server, { name: "anna" }), room);
  await showing(page, ["before"]);
  let asked = 0;
  page.on("request", () => (asked += 1));
  const begun = Date.now();
  const join = (n) => fetch(`${server.direct}/chat/${room}?after=latest&wait=0&name=person-${n}`);
  for (let n = 0; n < 500; n += 1) await join(n);
  const line = page.locator("#log .row.presence", { hasText: "others" });
  // Who does not come back for 15 s has come by.
  const counted = (words) =>
    [...words.matchAll(/and (\d+) others (joined|came by)/g)].reduce((sum, [, others]) => sum + 1 + Number(others), 0);
  await until("all are counted", async () => counted((await line.allTextContents()).join()) >= 500);
  const seconds = (Date.now() - begun) / 1000;
  assert.ok(asked < 12 + 6 * seconds, `${asked} requests in ${seconds} s`);
  assert.equal(await line.count(), 1);
  await line.locator("summary").click();
  await until("it opens", async () => (await line.locator("li").count()) > 100);
  // The same in history, and between messages.
  await say(page, "after");
  await sent(page);
  await fill(room, 0, 120);
  const again = await tab(await browser(server, { name: "anna" }), room);
  await scrollUp(again, async () => {});
  // Those who went after that are in another line.
  assert.equal(await again.locator("#log .row.presence", { hasText: /others (joined|came by)/ }).count(), 1);
  assert.equal(await again.locator("#log .row.message .text").first().textContent(), "before");
});
