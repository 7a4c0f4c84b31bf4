// The rooms that a browser follows: one request waits in all of them, and a room is muted or left.

import assert from "node:assert/strict";

import { PHONE, browser, newSeed, requestsOf, say, sent, setHidden, showing, shown, sources, tab, test, until } from "./browser.js";
import { randomFrom } from "./chance.js";
import { Server } from "./server.js";

const server = await Server.common();

const DESK = { viewport: { width: 1300, height: 800 } };

/** Visits rooms one after the other, in each of which something was said, and closes them. */
async function visit(context, ...rooms) {
  for (const room of rooms) {
    await server.say(room, "ben", "hello");
    const page = await tab(context, room);
    await until("it is read", () => page.evaluate((room) => localStorage.getItem(`comet-chat/read/${room}`), room));
    await page.close();
  }
}

const entry = (page, room) => page.locator(`#room-list li[data-room="${room}"]`);
const badge = (page, room) => entry(page, room).locator(".badge");
const order = (page) => page.locator("#room-list li").evaluateAll((rows) => rows.map(({ dataset }) => dataset.room));
const hears = (...rooms) => until("the rooms are waited in", async () => (await server.waiting(...rooms)) === rooms.length);

/** Waits for ten seconds of quiet: a tab that asks every few seconds leaves none. */
async function quiet(asked) {
  for (let tries = 1; ; tries += 1) {
    const { polls, others } = { ...asked, others: asked.others.length };
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const fresh = asked.others.slice(others);
    if (asked.open === 1 && asked.polls - polls <= 1 && fresh.length === 0) return;
    assert.ok(tries < 6, `${asked.open} polls wait, ${asked.polls - polls} began, and ${fresh}`);
  }
}

test("six tabs in six rooms take one connection that waits, and between messages the network is quiet", async () => {
  const context = await browser(server, { name: "anna" });
  const names = Array.from({ length: 6 }, (_, n) => `six-${n}`);
  // A person would stay present for a while, and then `left` would be a new entry.
  for (const room of names) await server.say(room, null, "hello");
  const asked = requestsOf(context);
  const pages = [];
  for (const room of names) pages.push(await tab(context, room));
  for (const page of pages) {
    await say(page, "hi");
    await showing(page, ["hello", "hi"]);
    await sent(page);
  }
  await hears(...names);
  await quiet(asked);
  const { polls } = asked;
  const begun = Date.now();
  for (const room of names) await server.say(room, null, "bye");
  for (const page of pages) await showing(page, ["hello", "hi", "bye"]);
  // And one ends after 20 s without a message.
  const most = 8 + (Date.now() - begun) / 10_000;
  assert.ok(asked.polls - polls <= most, "a message costs one poll");
  // A person who only follows a room is not present in it.
  await pages.pop().close({ runBeforeUnload: true });
  await until("anna is no longer there", async () => !(await server.people("six-5")).includes("anna"));
  await hears(...names);
});

test("unread messages of the rooms that were read are counted live, in the list and in the title", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  await server.say("live-strange", "ben", "one");
  await visit(context, "live-a", "live-b");
  const page = await tab(context, "live-c");
  const second = await tab(context, "live-d");
  await hears("live-a", "live-b", "live-c", "live-d");
  for (const each of [page, second]) await entry(each, "live-strange").waitFor();
  const asked = requestsOf(context);
  // A tab that has just opened may still catch up in its own room.
  const usual = /\/page\/|\/people$|\/chat\/live-[cd]\?after=/;
  // One that takes over from a tab that the machine has held up asks anew.
  const anew = /[?&]last=/;
  const questions = () => (asked.others.some((address) => anew.test(address)) ? [] : asked.others.filter((address) => !usual.test(address)));
  await server.say("live-a", "ben", "one");
  for (const each of [page, second]) {
    await until("one is counted", async () => (await badge(each, "live-a").textContent()) === "1");
    await until("the title says so", async () => (await each.title()).startsWith("(1) live-"));
  }
  await server.say("live-b", "ben", "one");
  await server.say("live-b", "ben", "two");
  await until("two are counted", async () => (await badge(page, "live-b").textContent()) === "2");
  await until("the title says so", async () => (await page.title()).startsWith("(3) live-c"));
  // The newest is first.
  assert.deepEqual((await order(page)).slice(0, 3), ["live-c", "live-b", "live-a"]);
  await server.say("live-a", "ben", "two");
  await until("it is first", async () => (await order(page))[1] === "live-a");
  assert.equal(await badge(page, "live-strange").count(), 0);
  assert.deepEqual(questions(), [], "nobody asks but the poll");
  // Read in one tab, it is read in all.
  await entry(second, "live-a").locator("a").click();
  await second.waitForURL("**/chat/live-a");
  await until("it is read", async () => (await badge(page, "live-a").count()) === 0);
  await until("the title says so", async () => (await page.title()).startsWith("(2) live-c"));
});

test("a room is muted by keyboard, in all tabs at once, and is heard again", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  await visit(context, "mute-a");
  const page = await tab(context, "mute-b");
  const second = await tab(context, "mute-c");
  await server.say("mute-a", "ben", "one");
  await until("the title says so", async () => (await second.title()).startsWith("(1)"));
  const more = entry(page, "mute-a").getByRole("button", { name: "Mute or leave mute-a" });
  await more.focus();
  await page.keyboard.press("Enter");
  assert.equal(await more.getAttribute("aria-expanded"), "true");
  await page.keyboard.press("Tab");
  const chosen = () => page.evaluate(() => document.activeElement.labels[0].textContent);
  assert.equal(await chosen(), "Mentions and quotes");
  await page.keyboard.press("ArrowDown");
  for (const each of [page, second]) {
    await entry(each, "mute-a").getByText("Muted").waitFor();
    await until("the title is quiet", async () => !(await each.title()).startsWith("("));
    assert.equal(await badge(each, "mute-a").count(), 0);
  }
  assert.equal(await chosen(), "Nothing: mute it");
  assert.equal(await page.locator("#announce").textContent(), "mute-a is muted.");
  await until("nobody waits there", async () => (await server.waiting("mute-a")) === 0);
  await server.say("mute-a", "ben", "two");
  await page.keyboard.press("ArrowUp");
  for (const each of [page, second]) await until("all is counted", async () => (await badge(each, "mute-a").textContent()) === "2");
});

test("the tab of a muted room keeps its title quiet", async () => {
  const page = await tab(await browser(server, { name: "anna", ...DESK }), "hush");
  await entry(page, "hush").getByRole("button", { name: "Mute or leave hush" }).click();
  assert.equal(await entry(page, "hush").getByRole("button", { name: "Leave hush", exact: true }).count(), 0);
  await entry(page, "hush").getByRole("radio", { name: "Nothing: mute it" }).check();
  await setHidden(page, true);
  await server.say("hush", "ben", "psst");
  await showing(page, ["psst"]);
  await page.locator("#marker").waitFor();
  assert.doesNotMatch(await page.title(), /^\(/);
});

test("a room that was left is no longer followed, and is again when it is opened", async () => {
  const context = await browser(server, { name: "anna", ...PHONE });
  await visit(context, "left-a");
  const page = await tab(context, "left-b");
  const second = await tab(context, "left-c");
  await hears("left-a", "left-b", "left-c");
  await page.locator("#rooms-button").tap();
  await entry(page, "left-a").getByRole("button", { name: "Mute or leave left-a" }).tap();
  await entry(page, "left-a").getByRole("button", { name: "Leave left-a", exact: true }).tap();
  assert.equal(await page.locator("#announce").textContent(), "You have left left-a.");
  // The server lists it, without a count.
  await until("nothing more can be done with it", async () => (await entry(page, "left-a").getByRole("button").count()) === 0);
  await until("nobody waits there", async () => (await server.waiting("left-a")) === 0);
  await server.say("left-a", "ben", "one");
  await server.say("left-b", "ben", "one");
  await showing(page, ["one"]);
  for (const each of [page, second]) assert.equal(await badge(each, "left-a").count(), 0);
  await entry(page, "left-a").locator("a").tap();
  await page.waitForURL("**/chat/left-a");
  await showing(page, ["hello", "one"]);
  await page.goto(`${server.origin}/chat/left-b`);
  await hears("left-a", "left-b", "left-c");
  await server.say("left-a", "ben", "two");
  await until("it is counted", async () => (await badge(second, "left-a").textContent()) === "1");
});

test("a tab under another name is present as well", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  await visit(context, "names-c");
  const first = await tab(context, "names-a");
  const second = await context.newPage();
  // As in a browser that keeps nothing: each tab has its own name.
  await second.addInitScript(() => {
    const forbidden = () => {
      throw new Error("forbidden");
    };
    Object.defineProperty(globalThis, "localStorage", { get: forbidden });
  });
  await second.goto(`${server.origin}/chat/names-b`);
  await second.locator("#name").fill("cleo");
  await second.locator("#name").press("Enter");
  const people = async (room) => (await server.people(room)).join();
  await until("both are there", async () => (await people("names-a")) === "anna" && (await people("names-b")) === "cleo");
  await server.say("names-a", "ben", "one");
  await server.say("names-b", "ben", "one");
  for (const page of [first, second]) await showing(page, ["one"]);
  await until("nobody is in a room that is only followed", async () => (await people("names-c")) === "");
  await second.close({ runBeforeUnload: true });
  await until("cleo has left", async () => (await people("names-b")) === "");
  // And perhaps ben, who has spoken.
  assert.ok((await server.people("names-a")).includes("anna"));
});

// For example, two names of rooms may have one hash: then they can't stand in one cursor.
test("if the server does not let one request wait in all of the rooms, several requests wait", async () => {
  const context = await browser(server, { name: "anna" });
  const refusal = { type: "urn:comet-chat:one-hash", detail: "Not these two at once." };
  await context.route(/chat\/.*apart-a.*apart-c.*wait=/, (route) =>
    route.fulfill({ status: 400, contentType: "application/problem+json", body: JSON.stringify(refusal) }),
  );
  const names = ["apart-a", "apart-b", "apart-c"];
  const pages = [];
  for (const room of names) pages.push(await tab(context, room));
  await hears(...names);
  for (const room of names) await server.say(room, "ben", `in ${room}`);
  for (const [n, page] of pages.entries()) await showing(page, [`in ${names[n]}`]);
});

test("tabs that open and close at random show each message once and in order", async () => {
  const random = randomFrom(newSeed());
  const context = await browser(server, { name: "anna" });
  const names = Array.from({ length: 6 }, (_, n) => `random-${n}`);
  const pages = [];
  let said = 0;
  for (let step = 0; step < 60; step += 1) {
    const what = random(10);
    if (what < 7) {
      for (const room of names) await server.say(room, "ben", `${room}: ${(said += 1)}`);
    } else if (pages.length < 3 || (what === 7 && pages.length < 8)) {
      const room = names[random(6)];
      pages.push({ room, page: await tab(context, room) });
    } else if (what === 8) {
      const [{ page }] = pages.splice(random(pages.length), 1);
      await page.close({ runBeforeUnload: random(2) === 0 });
    } else await pages[random(pages.length)].page.reload();
  }
  for (const { room, page } of pages) {
    const right = (await server.said(room)).slice(-40);
    await until(`${room} is shown`, async () => JSON.stringify((await shown(page)).slice(-40)) === JSON.stringify(right));
    const all = await shown(page);
    assert.equal(new Set(all).size, all.length, "each once");
  }
});

test("what is polled is planned: open rooms first, then those that are followed, and each name is present", async () => {
  const context = await browser(server);
  await sources(context);
  const page = await tab(context, "plan");
  const plan = (...asked) => page.evaluate(async (asked) => (await import("/source/plan.js")).plan(...asked), asked);
  const rooms = (prefix, count) => Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(2, "0")}`);
  const want = (room, name = "anna", visible = false) => ({ room, name, visible });
  assert.deepEqual(await plan([], ["x"], 4), []);
  assert.deepEqual(await plan([want("b"), want("a", null)], ["c", "d", "e"], 4), [
    { rooms: ["a", "b", "c", "d"], name: "anna", present: ["b"], silent: false },
  ]);
  assert.deepEqual(await plan([want("a"), want("b", "cleo"), want("a", "cleo")], [], 4), [
    { rooms: ["a", "b"], name: "anna", present: ["a"], silent: false },
    { rooms: ["a", "b"], name: "cleo", present: ["a", "b"], silent: true },
  ]);
  const many = await plan([...rooms("a", 13).map((room) => want(room)), want("z", "anna", true)], ["f"], 4);
  assert.deepEqual(many.map(({ rooms }) => rooms.length), [4, 4, 4]);
  assert.ok(many.flatMap(({ rooms }) => rooms).includes("z"), "what is visible is polled");
});
