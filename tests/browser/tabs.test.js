// However many tabs a browser has, one of them polls.

import assert from "node:assert/strict";

import { browser, joined, requestsOf, say, sent, setHidden, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

async function tabs(context, room, count) {
  const pages = [];
  for (let n = 0; n < count; n += 1) pages.push(await tab(context, room));
  return pages;
}

const one = (room) => until(`one waiter in ${room}`, async () => (await server.waiting(room)) === 1);

test("twelve tabs of one browser show every message, and the server holds one waiter for them", async () => {
  const pages = await tabs(await browser(server, { name: "anna" }), "dozen", 12);
  await say(pages[3], "one");
  for (const page of pages) await showing(page, ["one"]);
  await server.say("dozen", "ben", "two");
  for (const page of pages) await showing(page, ["one", "two"]);
  await say(pages[11], "three");
  for (const page of pages) await showing(page, ["one", "two", "three"]);
  await one("dozen");
});

test("closing the tab that polls hands over, and nothing is lost", async () => {
  const context = await browser(server, { name: "anna" });
  const pages = await tabs(context, "closing", 4);
  const said = [];
  while (pages.length > 1) {
    await server.say("closing", "ben", `before ${pages.length}`);
    // The first tab came first, and polls.
    await pages.shift().close();
    await server.say("closing", "ben", `after ${pages.length}`);
    said.push(`before ${pages.length + 1}`, `after ${pages.length}`);
    for (const page of pages) await showing(page, said);
    await one("closing");
  }
});

/**
 * Stops a tab's scripts in their tracks. Chromium freezes only hidden tabs, and a driven one is never
 * hidden, so that the debugger stands in for the freezer.
 */
async function stop(page) {
  const session = await page.context().newCDPSession(page);
  const stopped = new Promise((resolve) => session.once("Debugger.paused", resolve));
  await session.send("Debugger.enable");
  await session.send("Debugger.pause");
  // The tab stops at its next event, and answers this when it goes on.
  const answered = session.send("Runtime.evaluate", { expression: "0" });
  await stopped;
  return async () => {
    await session.send("Debugger.resume");
    await answered;
    await session.detach();
  };
}

/** Kills a tab's process. */
async function crash(page) {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => {});
  await crashed;
}

const tell = (page, event) => page.evaluate((event) => document.dispatchEvent(new Event(event)), event);

test("a tab that is frozen hands over, and catches up when it thaws", async () => {
  const [first, second] = await tabs(await browser(server, { name: "anna" }), "frozen", 2);
  const polls = requestsOf(second);
  await tell(first, "freeze");
  const thaw = await stop(first);
  await until("the other tab polls", () => polls.open === 1);
  await server.say("frozen", "ben", "while it was cold");
  await showing(second, ["while it was cold"]);
  await thaw();
  await tell(first, "resume");
  await showing(first, ["while it was cold"]);
  await one("frozen");
});

test("a tab that hangs silently loses its place", async () => {
  const [first, second] = await tabs(await browser(server, { name: "anna" }), "hung", 2);
  const polls = requestsOf(second);
  const wake = await stop(first);
  await server.say("hung", "ben", "one");
  await until("the other tab polls", () => polls.open === 1);
  await showing(second, ["one"]);
  await server.say("hung", "ben", "two");
  await showing(second, ["one", "two"]);
  await wake();
  await showing(first, ["one", "two"]);
  await one("hung");
});

// With every tab hidden, nobody noticed that the polling tab hung or was killed: title and icon stayed old
// until somebody looked at a tab.
for (const [where, host] of [
  ["with Web Locks", "127.0.0.1"],
  ["without, as on plain http", "chat.test"],
]) {
  for (const [what, end] of [
    ["hangs", stop],
    ["is killed", crash],
  ]) {
    test(`while all tabs are hidden, another takes over from one that ${what} (${where})`, async () => {
      const context = await browser(server, { name: "anna", origin: `http://${host}:${server.port}` });
      const room = `hidden-${what}-${host}`.replaceAll(" ", "-");
      const pages = await tabs(context, room, 3);
      await server.say(room, "ben", "one");
      for (const page of pages) await showing(page, ["one"]);
      await one(room);
      for (const page of pages) await setHidden(page, true);
      const polls = pages.slice(1).map(requestsOf);
      const goOn = await end(pages[0]);
      await until("another tab polls", () => polls.some(({ open }) => open > 0));
      await server.say(room, "ben", "two");
      for (const page of pages.slice(1)) {
        await showing(page, ["one", "two"]);
        await until("the title says so", async () => /^\(\d+\)/.test(await page.title()));
      }
      await goOn?.();
    });
  }
}

test("without Web Locks, as on plain http, the tabs agree on one that polls", async () => {
  const context = await browser(server, { name: "anna", origin: `http://chat.test:${server.port}` });
  const pages = await tabs(context, "plain-http", 4);
  assert.equal(await pages[0].evaluate(() => "locks" in navigator), false);
  await server.say("plain-http", "ben", "one");
  for (const page of pages) await showing(page, ["one"]);
  await one("plain-http");
  await pages.shift().close();
  await server.say("plain-http", "ben", "two");
  for (const page of pages) await showing(page, ["one", "two"]);
  await say(pages[0], "three");
  for (const page of pages) await showing(page, ["one", "two", "three"]);
  await one("plain-http");
});

test("without BroadcastChannel a tab polls for itself while it is visible", async () => {
  const context = await browser(server, { name: "anna" });
  await context.addInitScript(() => delete globalThis.BroadcastChannel);
  const polls = requestsOf(context);
  const page = await tab(context, "alone");
  await one("alone");
  await setHidden(page, true);
  await until("a hidden one does not poll", () => polls.open === 0);
  await server.say("alone", "ben", "while hidden");
  await setHidden(page, false);
  await showing(page, ["while hidden"]);
});

test("a hidden tab asks rarely", async () => {
  const page = await tab(await browser(server, { name: "anna" }), "quiet");
  // Her own coming answers the first poll.
  await joined(page, "anna");
  await one("quiet");
  const asked = requestsOf(page);
  await setHidden(page, true);
  const wait = page.waitForRequest(/wait=30/);
  await server.say("quiet", null, "hello");
  await wait;
  // And one that ended just now.
  assert.ok(asked.polls <= 2, `${asked.polls} polls`);
});

// Two tabs in one room overwrote each other's drafts.
test("each tab has its own draft, and the next tab takes over the draft of a closed one", async () => {
  const context = await browser(server, { name: "anna" });
  const [first, second] = await tabs(context, "drafts", 2);
  const draft = (page) => page.locator("#message").inputValue();
  await first.locator("#message").fill("of the first");
  await second.locator("#message").fill("of the second");
  for (const page of [first, second]) {
    await page.reload();
    await page.locator("html.ready").waitFor();
  }
  assert.deepEqual([await draft(first), await draft(second)], ["of the first", "of the second"]);
  await first.close({ runBeforeUnload: true });
  const next = await until("it is left", async () => {
    const page = await tab(context, "drafts");
    if ((await draft(page)) === "of the first") return page;
    await page.close();
    return null;
  });
  assert.equal(await draft(await tab(context, "drafts")), "");
  await say(next, "said by one");
  await sent(next);
  assert.equal(await draft(second), "of the second", "another tab's words do not come here");
});

// A person with the page open on a phone who closed it on the laptop had "left" and "joined" again.
test("closing one of a person's two devices says nothing", async () => {
  const room = "devices";
  const options = { name: "anna" };
  const phone = await tab(await browser(server, options), room);
  await joined(phone, "anna");
  // With her key, so that it is the same person.
  const laptop = await tab(await browser(server, { storageState: await phone.context().storageState() }), room);
  await until("the laptop waits too", async () => (await server.waiting(room)) === 2);
  const other = await tab(await browser(server, { name: "cleo" }), room);
  await phone.getByText("2 people here").waitFor();
  await laptop.close({ runBeforeUnload: true });
  await other.close({ runBeforeUnload: true });
  // When the person who closed her only page has left, the other one's leave is decided too.
  const news = async () => (await server.all(room)).map(({ kind, name }) => `${name} ${kind}`);
  await until("cleo has left", async () => (await news()).includes("cleo left"));
  await server.say(room, "ben", "still here?");
  await showing(phone, ["still here?"]);
  await say(phone, "yes");
  await sent(phone);
  const about = (await news()).filter((line) => line.startsWith("anna"));
  assert.deepEqual(about, ["anna joined", "anna message"]);
});
