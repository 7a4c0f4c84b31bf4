// Search: opened by the browser's own key, in this room or in all, with the words marked.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";

import { FOR_AXE, violations } from "./axe.js";
import { browser, say, sent, tab, test, until } from "./browser.js";
import { Server } from "./server.js";
import { Wire } from "./wire.js";

const server = await Server.common();

const panel = (page) => page.getByRole("dialog", { name: "Search" });
const field = (page) => panel(page).getByRole("textbox");
const state = (page) => panel(page).getByRole("status");
const rows = (page) => panel(page).getByRole("listitem");
const older = (page) => page.locator("#search-older");

/** Looks for these words by the keyboard, and waits for what it says. */
async function look(page, words, said) {
  await field(page).fill(words);
  await field(page).press("Enter");
  await says(page, said);
}

const says = (page, words) => until(`it says ${words}`, async () => (await state(page).textContent()) === words);
const marks = (row) => row.locator("mark").allTextContents();

/** `PICTURES=DIR` keeps a picture of each state. */
async function picture(page, name) {
  if (!process.env.PICTURES) return;
  mkdirSync(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: `${process.env.PICTURES}/search-${name}.png` });
}

test("the browser's own key opens the search, which finds what two people said", async () => {
  const context = await browser(server, { name: "anna", ...FOR_AXE });
  const anna = await tab(context, "search");
  const ben = await tab(await browser(server, { name: "ben" }), "search");
  await say(anna, "Lunch at noon, in the café?");
  await say(ben, "今日のランチは");
  await say(ben, `${"All work and no play. ".repeat(40)}Then lunch! ${"And so on. ".repeat(40)}`);
  await sent(anna);
  await sent(ben);
  await anna.locator("#message").focus();
  await anna.keyboard.press("Control+f");
  assert.ok(await field(anna).evaluate((input) => input === document.activeElement), "one can write at once");
  await look(anna, "LUNCH", "2 messages found.");
  assert.deepEqual(await marks(rows(anna).nth(0)), ["lunch"], "the newest first, around the word");
  assert.match(await rows(anna).nth(0).textContent(), /^ben.*…[A-Za-z]+ .*Then lunch!.*…$/su);
  assert.deepEqual(await marks(rows(anna).nth(1)), ["Lunch"]);
  await picture(anna, "desk");
  await look(anna, "anna cafe", "One message found.");
  assert.deepEqual(await marks(rows(anna).nth(0)), ["anna", "café"]);
  await look(anna, "ラン", "One message found.");
  assert.deepEqual(await marks(rows(anna).nth(0)), ["ラン"]);
  await look(anna, "<b>", "Nothing found.");
  await look(anna, "  ", "Write what to look for.");
  assert.equal(await rows(anna).count(), 0);
  await field(anna).fill("a b c d e f g h i j k l m n o p q");
  await field(anna).press("Enter");
  await until("it says how many", async () => /1 to 16 words/.test(await state(anna).textContent()));
  assert.ok(await older(anna).isHidden(), "the same would be refused again");
  await look(anna, "lunch", "2 messages found.");
  assert.deepEqual(await violations(anna), []);
  // Escape closes it, and the focus goes back to where it was.
  await anna.keyboard.press("Escape");
  await panel(anna).waitFor({ state: "hidden" });
  assert.equal(await anna.evaluate(() => document.activeElement.id), "message");
  // What was looked for is still there. A second time the key is the browser's own.
  await anna.locator("#search-button").click();
  assert.equal(await field(anna).inputValue(), "lunch");
  const isLeft = await anna.evaluate(() => {
    const event = new KeyboardEvent("keydown", { key: "f", code: "KeyF", ctrlKey: true, bubbles: true, cancelable: true });
    return document.activeElement.dispatchEvent(event);
  });
  assert.ok(isLeft, "the browser may take the key");
  await panel(anna).waitFor({ state: "hidden" });
});

test("all rooms of this browser are searched, and older pages follow", async () => {
  const context = await browser(server, { name: "anna" });
  for (const room of ["search-one", "search-two"]) {
    for (let n = 0; n < 15; n += 1) await server.say(room, "ben", `word ${n} in ${room}`);
    const page = await tab(context, room);
    await until("it was read", () => page.evaluate((room) => localStorage[`comet-chat/read/${room}`], room));
  }
  const anna = await tab(context, "search-one");
  await anna.keyboard.press("Control+f");
  await look(anna, "word", "15 messages found.");
  await panel(anna).getByRole("switch", { name: "In all my rooms" }).check();
  await says(anna, "The newest 20 found in 2 rooms.");
  assert.match(await rows(anna).first().textContent(), /search-two/);
  await older(anna).focus();
  await anna.keyboard.press("Enter");
  await says(anna, "30 messages found in 2 rooms.");
  assert.equal(new Set(await rows(anna).locator(".excerpt").allTextContents()).size, 30, "each once");
  assert.ok(await older(anna).isHidden());
  assert.ok(await rows(anna).last().locator("a").evaluate((link) => link === document.activeElement));
  // A message of this room is shown in its place, also a second time; one of another room is opened there.
  for (let n = 0; n < 2; n += 1) {
    await anna.locator("#search-found a[href^='#']").last().click();
    await anna.locator(".row.lit", { hasText: "word 0 in search-one" }).waitFor();
    await anna.locator("#search-button").click();
    if (n === 0) await until("it is no longer lit", async () => (await anna.locator(".row.lit").count()) === 0);
  }
  const address = await rows(anna).first().locator("a").getAttribute("href");
  assert.match(address, /^\/chat\/search-two#[0-9a-f]{8}-\d+-[0-9a-f]{8}$/);
});

test("a search that the network cuts off says so, and is tried again", async () => {
  await server.say("search-cut", "ben", "a word");
  const wire = await Wire.to(new URL(server.origin).port);
  const context = await browser(server, { origin: `http://localhost:${wire.port}`, name: "anna" });
  const anna = await tab(context, "search-cut");
  await anna.locator("#search-button").click();
  wire.cut();
  await look(anna, "word", "The server can't be reached now.");
  wire.mend();
  await panel(anna).getByRole("button", { name: "Try again" }).click();
  await says(anna, "One message found.");
  assert.ok(await older(anna).isHidden());
  wire.end();
});

test("it fits a small phone in every direction and colour, and can be read at 400 %", async () => {
  const options = { name: "anna", viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };
  const context = await browser(server, { ...options, ...FOR_AXE, forcedColors: "active" });
  for (const text of ["مرحبا بالعالم، هذه كلمة word", `a word ${"W".repeat(80)}`, "word, again"])
    await server.say("search-small", "بن", text);
  const anna = await tab(context, "search-small");
  await anna.locator("#search-button").tap();
  await look(anna, "word", "3 messages found.");
  const fits = () => anna.evaluate(() => document.querySelector("#search").scrollWidth <= document.querySelector("#search").clientWidth);
  const sees = async (name) => {
    assert.ok(await fits(), `${name} is not cut`);
    await picture(anna, name);
  };
  await sees("forced");
  await anna.emulateMedia({ forcedColors: "none", colorScheme: "dark" });
  await sees("dark");
  assert.deepEqual(await violations(anna), []);
  await anna.emulateMedia({ forcedColors: "none", colorScheme: "light" });
  await anna.evaluate(() => (document.documentElement.dir = "rtl"));
  await sees("rtl");
  await anna.setViewportSize({ width: 320, height: 256 });
  await rows(anna).last().scrollIntoViewIfNeeded();
  await sees("zoom");
});
