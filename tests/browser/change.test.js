// Editing and deleting what one has said: by mouse, by keyboard, by touch, and with the network cut.

import assert from "node:assert/strict";

import { FOR_AXE, violations } from "./axe.js";
import { PHONE, act, browser, joined, say, sent, setHidden, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** The row that says this. */
const row = (page, text) => page.locator("#log .row.message", { has: page.getByText(text, { exact: true }) });

async function two(room, options) {
  const anna = await tab(await browser(server, { name: "anna", ...options }), room);
  const ben = await tab(await browser(server, { name: "ben" }), room);
  await joined(anna, "ben");
  return [anna, ben];
}

/** Where a text is anywhere in the page or in what the browser keeps. */
const holds = (page, text) =>
  page.evaluate(
    (text) =>
      [document.body.innerHTML, document.body.innerText, document.getElementById("message").value, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })].some((part) =>
        part.includes(text),
      ),
    text,
  );

test("an edit shows in its place for both, marked, and only at one's own messages", async () => {
  const [anna, ben] = await two("edit");
  await say(anna, "helo ben");
  await say(anna, "how are you?");
  await showing(ben, ["helo ben", "how are you?"]);
  await sent(anna);
  await act(row(anna, "helo ben"), "Edit");
  await anna.getByText("Edit your message").waitFor();
  assert.equal(await anna.locator("#message").inputValue(), "helo ben");
  await say(anna, "hello ben");
  await sent(anna);
  for (const page of [anna, ben]) {
    await showing(page, ["hello ben", "how are you?"]);
    await page.locator(".edited").hover();
    assert.match(await page.locator(".edited").getAttribute("title"), /\d/);
    assert.equal(await holds(page, "helo ben"), false, "nothing of it is left");
  }
  assert.equal(await anna.locator("#subject").isVisible(), false);
  await row(ben, "hello ben").locator(".bubble").hover();
  assert.equal(await ben.getByRole("button", { name: "Edit", exact: true }).count(), 0, "it is not his");
  await ben.reload();
  await showing(ben, ["hello ben", "how are you?"]);
  assert.equal(await ben.locator(".edited").count(), 1, "whoever comes later sees it too");
});

test("a deletion asks first, and then nothing of the text is left", async () => {
  const [anna, ben] = await two("delete", FOR_AXE);
  await say(anna, "a secret of hers");
  await showing(ben, ["a secret of hers"]);
  await sent(anna);
  await act(row(anna, "a secret of hers"), "Delete");
  assert.deepEqual(await violations(anna), []);
  await anna.getByRole("button", { name: "Keep it" }).press("Enter");
  await showing(anna, ["a secret of hers"]);
  await act(row(anna, "a secret of hers"), "Delete");
  await anna.locator("#ask-yes").click();
  for (const page of [anna, ben]) {
    await showing(page, ["Deleted"]);
    assert.equal(await holds(page, "secret"), false);
    await page.reload();
    await showing(page, ["Deleted"]);
    assert.equal(await holds(page, "secret"), false);
  }
  assert.deepEqual(await server.said("delete"), [""]);
});

test("by keyboard alone: arrows to a message, keys to edit and delete it, Escape to leave it", async () => {
  const [anna, ben] = await two("keys", FOR_AXE);
  for (const text of ["one", "two", "three"]) await say(anna, text);
  await sent(anna);
  await showing(ben, ["one", "two", "three"]);
  const { keyboard } = anna;
  // Up edits what was said last, when nothing is being written.
  await anna.locator("#message").press("ArrowUp");
  assert.equal(await anna.locator("#message").inputValue(), "three");
  await keyboard.press("Escape");
  assert.equal(await anna.locator("#message").inputValue(), "");
  await anna.locator("#message").fill("a draft");
  await anna.locator("#log").focus();
  for (const key of ["ArrowUp", "ArrowUp", "Enter"]) await keyboard.press(key);
  const name = () => anna.evaluate(() => document.activeElement.getAttribute("aria-label"));
  assert.equal(await name(), "Reply");
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight"]) await keyboard.press(key);
  assert.equal(await name(), "Delete");
  await keyboard.press("Escape");
  assert.equal(await name(), "You: two");
  assert.deepEqual(await violations(anna), []);
  await keyboard.press("e");
  assert.equal(await anna.locator("#message").inputValue(), "two");
  await keyboard.type("!");
  await keyboard.press("Enter");
  await showing(ben, ["one", "two!", "three"]);
  assert.equal(await anna.locator("#message").inputValue(), "a draft", "what was being written is back");
  // An edit without a text offers to delete.
  await anna.locator("#message").fill("");
  await keyboard.press("ArrowUp");
  await anna.locator("#message").fill("");
  await keyboard.press("Enter");
  await anna.locator("#ask[open]").waitFor();
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await showing(ben, ["one", "two!", "Deleted"]);
  await anna.locator("#log").focus();
  await keyboard.press("ArrowUp");
  await keyboard.press("ArrowUp");
  await keyboard.press("Backspace");
  await anna.locator("#ask[open]").waitFor();
  await keyboard.press("Escape");
  await showing(anna, ["one", "two!", "Deleted"]);
});

test("by touch, on 320 pixels: a tap on a message shows what can be done, and one elsewhere hides it", async () => {
  const [anna, ben] = await two("touch", { ...FOR_AXE, ...PHONE, viewport: { width: 320, height: 640 } });
  await say(anna, "tap me");
  await showing(ben, ["tap me"]);
  await sent(anna);
  await row(anna, "tap me").locator(".bubble").tap();
  const bar = anna.locator(".actions");
  await bar.waitFor();
  const { x, width } = await bar.boundingBox();
  assert.ok(x >= 0 && x + width <= 320, `${x} ${width}`);
  assert.deepEqual(await violations(anna), []);
  await anna.locator("h1").tap();
  await bar.waitFor({ state: "detached" });
  await row(anna, "tap me").locator(".bubble").tap();
  await anna.getByRole("button", { name: "Edit", exact: true }).tap();
  await anna.locator("#message").fill("tapped");
  await anna.locator("#send").tap();
  await showing(ben, ["tapped"]);
});

test("without a network changes wait, show that they are on their way, and are made once and in order", async () => {
  const context = await browser(server, { name: "anna" });
  const anna = await tab(context, "cut");
  const other = await tab(context, "cut");
  const ben = await tab(await browser(server, { name: "ben" }), "cut");
  await joined(anna, "ben");
  for (const text of ["one", "two"]) await say(anna, text);
  await showing(ben, ["one", "two"]);
  await sent(anna);
  await context.setOffline(true);
  await act(row(anna, "one"), "Edit");
  await say(anna, "one!");
  await act(row(anna, "two"), "Delete");
  await anna.locator("#ask-yes").click();
  await say(anna, "three");
  for (const page of [anna, other]) {
    await showing(page, ["one!", "Deleting…", "three"]);
    assert.equal(await page.locator(".changing .sign.sending").count(), 2);
  }
  await showing(ben, ["one", "two"]);
  await context.setOffline(false);
  for (const page of [anna, other, ben]) await showing(page, ["one!", "Deleted", "three"]);
  await sent(anna);
  await until("none is on its way", async () => (await anna.locator(".changing").count()) === 0);
  const all = await server.all("cut");
  const kinds = all.map(({ kind }) => kind).filter((kind) => kind !== "joined" && kind !== "left");
  assert.deepEqual(kinds, ["message", "message", "edited", "deleted", "message"]);
});

test("changes of what one reads do not move it, and are no news", async () => {
  const ben = await tab(await browser(server, { name: "ben" }), "calm");
  await say(ben, "first\nsecond\nthird");
  await sent(ben);
  for (let n = 0; n < 40; n += 1) await server.say("calm", "cleo", `filler ${n}`);
  const anna = await tab(await browser(server, { name: "anna" }), "calm");
  const place = () => row(anna, "filler 20").evaluate((node) => Math.round(node.getBoundingClientRect().top));
  await row(anna, "filler 39").waitFor();
  await joined(anna, "anna");
  const atEnd = await place();
  await anna.locator("#log").evaluate((log) => (log.scrollTop -= 900));
  await anna.getByText("The beginning of what is kept").waitFor({ state: "attached" });
  const before = await place();
  // The line at the top, which came meanwhile, moved all by its own height.
  assert.ok(Math.abs(before - atEnd - 900) <= 1, `what is read stands ${before - atEnd} pixels lower`);
  await ben.locator("#message").press("ArrowUp");
  await say(ben, "one line");
  await anna.locator(".text", { hasText: "one line" }).waitFor({ state: "attached" });
  // Places between two pixels are rounded.
  const moved = (await place()) - before;
  assert.ok(Math.abs(moved) <= 1, `it moved by ${moved} pixels`);
  await setHidden(anna, true);
  await ben.locator("#message").press("ArrowUp");
  await say(ben, "another line");
  await anna.locator(".text", { hasText: "another line" }).waitFor({ state: "attached" });
  assert.doesNotMatch(await anna.title(), /^\(/);
});

test("a change that is refused is told, and its text is kept", async () => {
  const context = await browser(server, { name: "anna" });
  const anna = await tab(context, "refused");
  await say(anna, "mine");
  await sent(anna);
  // Another browser's key.
  await anna.evaluate(() => localStorage.setItem("comet-chat/key", JSON.stringify("another-key-of-anna")));
  await act(row(anna, "mine"), "Edit");
  await say(anna, "a better text");
  await anna.locator("#outbox").getByText("this message is not yours").waitFor();
  await showing(anna, ["mine", "a better text"]);
  await anna.getByRole("button", { name: "Discard" }).click();
  await showing(anna, ["mine"]);
});

test("in the dark, in forced colours and from right to left all of it is there for everybody", async () => {
  const { id } = await server.say("looks", "ben", "a question");
  await server.answer("looks", "cleo", "an answer", id);
  const writer = await tab(await browser(server, { name: "anna" }), "looks");
  for (const text of ["edited", "deleted"]) await say(writer, text);
  await sent(writer);
  await act(row(writer, "edited"), "Edit");
  await say(writer, "better");
  await act(row(writer, "deleted"), "Delete");
  await writer.locator("#ask-yes").click();
  await sent(writer);
  for (const look of [{ colorScheme: "dark" }, { forcedColors: "active" }, { isRtl: true }]) {
    const { isRtl, ...options } = look;
    const page = await tab(await browser(server, { name: "dora", viewport: { width: 320, height: 640 }, ...FOR_AXE, ...options }), "looks");
    if (isRtl) await page.evaluate(() => (document.documentElement.dir = "rtl"));
    await showing(page, ["a question", "an answer", "better", "Deleted"]);
    await act(row(page, "an answer"), "Reply");
    await row(page, "an answer").locator(".bubble").hover();
    const { x, width } = await page.locator(".actions").boundingBox();
    assert.ok(x >= 0 && x + width <= 320, `${JSON.stringify(look)} ${x} ${width}`);
    assert.deepEqual(await violations(page), [], JSON.stringify(look));
    await page.context().close();
  }
  const plain = await (await browser(server, { javaScriptEnabled: false })).newPage();
  await plain.goto(`${server.origin}/chat/looks`);
  const list = plain.frameLocator("iframe");
  assert.equal(await list.locator(".row", { hasText: "better" }).locator(".edited").count(), 1, "without scripts too");
  assert.equal(await list.locator(".gone").textContent(), "Deleted");
});
