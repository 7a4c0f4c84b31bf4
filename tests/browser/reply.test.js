// Answers with a quote, and the address of each message.

import assert from "node:assert/strict";

import { FOR_AXE, violations } from "./axe.js";
import { PHONE, act, browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

const row = (page, text) => page.locator("#log .row.message", { has: page.locator(".text", { hasText: text }) });
const quote = (page, text) => row(page, text).locator(".quote");

/** Opens an address of a room, in which a message stays lit up until another is. */
async function open(context, path) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    const set = globalThis.setTimeout;
    // As long as log.js lights it up.
    globalThis.setTimeout = (run, time) => set(run, time === 4_000 ? 60_000 : time);
  });
  await page.goto(`${context.origin}/chat/${path}`);
  await page.locator("html.ready").waitFor();
  return page;
}

/** Whether the message is lit up, and in view. */
const isLit = (page, text) =>
  until(`${text} is lit`, () =>
    page.locator(".row.lit").evaluateAll((rows, text) => {
      const log = document.getElementById("log").getBoundingClientRect();
      const { top, bottom } = rows[0]?.getBoundingClientRect() ?? {};
      return rows.length === 1 && rows[0].querySelector(".text").textContent === text && top >= log.top && bottom <= log.bottom;
    }, text),
  );

test("an answer shows what it answers, as that is now, and leads to it", async () => {
  const anna = await tab(await browser(server, { name: "anna", ...FOR_AXE }), "reply");
  const ben = await tab(await browser(server, { name: "ben" }), "reply");
  await say(anna, "who comes\ntonight?");
  await say(anna, "at eight");
  await showing(ben, ["who comes\ntonight?", "at eight"]);
  await sent(anna);
  await act(row(ben, "who comes\ntonight?"), "Reply");
  await ben.getByText("Answer anna").waitFor();
  await ben.keyboard.press("Escape");
  assert.equal(await ben.locator("#subject").isVisible(), false);
  // By keyboard.
  await ben.locator("#log").focus();
  for (const key of ["ArrowUp", "ArrowUp", "r"]) await ben.keyboard.press(key);
  await ben.keyboard.type("I do");
  await ben.keyboard.press("Enter");
  for (const page of [anna, ben]) await showing(page, ["who comes\ntonight?", "at eight", "I do"]);
  assert.equal(await quote(ben, "I do").textContent(), "In answer to anna who comes tonight?");
  assert.equal(await quote(anna, "I do").textContent(), "In answer to You who comes tonight?");
  assert.equal(await anna.locator(".row.to-me").count(), 1, "an answer to one's own message is for oneself");
  assert.deepEqual(await violations(anna), []);
  const [question] = (await server.all("reply")).filter(({ kind }) => kind === "message");
  assert.equal((await server.all("reply")).find(({ text }) => text === "I do").reply_to, question.id);

  await quote(ben, "I do").click();
  await isLit(ben, "who comes\ntonight?");
  assert.equal(new URL(ben.url()).hash, `#${question.id}`);
  await ben.goBack();
  assert.equal(new URL(ben.url()).hash, "");

  await act(row(anna, "who comes\ntonight?"), "Edit");
  await say(anna, "who comes tomorrow?");
  for (const page of [anna, ben]) await until("the quote follows", async () => /tomorrow/.test(await quote(page, "I do").textContent()));
  await act(row(anna, "who comes tomorrow?"), "Delete");
  await anna.locator("#ask-yes").click();
  for (const page of [anna, ben]) {
    await until("the quote is gone", async () => /Deleted$/.test(await quote(page, "I do").textContent()));
    assert.equal(await page.evaluate(() => document.body.innerHTML.includes("tomorrow")), false);
  }
});

test("without a network an answer waits with its quote", async () => {
  const context = await browser(server, { name: "anna" });
  const anna = await tab(context, "cut");
  const ben = await tab(await browser(server, { name: "ben" }), "cut");
  await say(ben, "hello?");
  await showing(anna, ["hello?"]);
  await context.setOffline(true);
  await act(row(anna, "hello?"), "Reply");
  await say(anna, "hello!");
  assert.match(await anna.locator("#outbox .quote").textContent(), /ben hello\?/);
  await context.setOffline(false);
  await showing(ben, ["hello?", "hello!"]);
  assert.match(await quote(ben, "hello!").textContent(), /You hello\?/);
});

test("the address of a message opens the past there, and goes on to the newest", async () => {
  const ids = [];
  for (let n = 0; n < 260; n += 1) ids.push((await server.say("past", "ben", `number ${n}`)).id);
  const context = await browser(server, { name: "anna", ...FOR_AXE });
  const anna = await open(context, `past#${ids[20]}`);
  await isLit(anna, "number 20");
  assert.deepEqual(await violations(anna), []);
  await anna.locator("#down").click();
  await until("the end is in view", () => row(anna, "number 259").evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight));
  assert.equal(new URL(anna.url()).hash, "", "and the address is the room's again");
  // Other addresses in the same page, and back.
  await anna.evaluate((id) => (location.hash = id), ids[40]);
  await isLit(anna, "number 40");
  await anna.evaluate((id) => (location.hash = id), ids[250]);
  await isLit(anna, "number 250");
  await anna.goBack();
  await isLit(anna, "number 40");
  // Wrong ones.
  for (const wrong of ["00000001-9-00000001", "nonsense"]) {
    const page = await open(context, `past#${wrong}`);
    await page.locator("#note").getByText("no longer kept").waitFor();
    assert.ok(await row(page, "number 259").isVisible());
    await page.close();
  }
  // Quotes of messages that are not loaded.
  await server.answer("past", "ben", "old news", ids[3]);
  await until("the quote is there", async () => (await anna.locator(".quote").count()) > 0 || !(await anna.locator("#down").click()));
  await until("it is fetched", async () => /ben number 3$/.test(await quote(anna, "old news").textContent()));
});

test("copy link copies the address that opens the message", async () => {
  const context = await browser(server, { name: "anna" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const anna = await tab(context, "link");
  const { id } = await server.say("link", "ben", "look here");
  await showing(anna, ["look here"]);
  await act(row(anna, "look here"), "Copy link");
  await anna.getByText("The message's address is copied.").first().waitFor();
  const copied = await anna.evaluate(() => navigator.clipboard.readText());
  assert.ok(copied.endsWith(`/chat/link#${id}`), copied);
});

test("one goes to a day from the line between two days, on 320 pixels too", async () => {
  await server.say("days", "ben", "today");
  const anna = await tab(await browser(server, { name: "anna", ...FOR_AXE, ...PHONE, viewport: { width: 320, height: 640 } }), "days");
  await anna.locator(".row.day button").tap();
  await anna.locator("#days[open]").waitFor();
  assert.deepEqual(await violations(anna), []);
  await anna.locator("#days-day").fill("2020-02-29");
  await anna.locator("#days-form button").tap();
  await isLit(anna, "today");
});

test("without scripts one sees what was edited, deleted and answered", async () => {
  const { id } = await server.say("plain-reply", "ben", "a question");
  await server.answer("plain-reply", "cleo", "an answer", id);
  const context = await browser(server, { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.origin}/chat/plain-reply`);
  const list = page.frameLocator("iframe");
  assert.equal(await list.locator(".quote").textContent(), "ben: a question");
});
