// The page for everybody: by keyboard, by screen reader, in the dark, without motion.

import assert from "node:assert/strict";

import { FOR_AXE, violations } from "./axe.js";
import { PHONE, browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

for (const colorScheme of ["light", "dark"]) {
  for (const [size, options] of Object.entries({
    phone: PHONE,
    desk: { viewport: { width: 1400, height: 900 } },
  })) {
    test(`axe finds nothing serious: ${colorScheme}, ${size}`, async () => {
      const room = `axe-${colorScheme}-${size}`;
      await server.say(room, "ben", "hello @anna, see https://example.org");
      await server.say(room, "cleo", "👋");
      const context = await browser(server, { ...options, ...FOR_AXE, colorScheme });
      // A room that can be left is one that was read, and is not this one.
      const elsewhere = `${room}-elsewhere`;
      await server.say(elsewhere, "ben", "hello");
      const other = await tab(context, elsewhere);
      await showing(other, ["hello"]);
      await other.close();
      const page = await tab(context, room);
      assert.deepEqual(await violations(page), [], "as it opens");
      await page.locator("#name").fill("anna");
      await say(page, "hello all");
      await sent(page);
      await page.locator("#people-list .tag").waitFor({ state: "attached" });
      assert.deepEqual(await violations(page), [], "in conversation");
      if (size === "phone") {
        for (const panel of ["rooms", "people"]) {
          await page.locator(`#${panel}-button`).click();
          await page.locator(`#${panel} li`).first().waitFor();
          if (panel === "rooms") {
            await page.getByRole("button", { name: `Mute or leave ${room}`, exact: true }).click();
            await page.getByRole("radio", { name: "Nothing: mute it" }).check();
            await page.locator("#room-list").getByText("Muted").waitFor();
            await page.getByRole("button", { name: `Mute or leave ${elsewhere}` }).click();
            await page.getByRole("button", { name: `Leave ${elsewhere}`, exact: true }).waitFor();
          }
          assert.deepEqual(await violations(page), [], panel);
          await page.keyboard.press("Escape");
        }
      }
      await page.locator("#message").pressSequentially("@b");
      await page.locator("#mentions li").waitFor();
      assert.deepEqual(await violations(page), [], "mentioning");
      await page.locator("#message").fill("");
      await page.locator("#share-button").click();
      assert.deepEqual(await violations(page), [], "sharing");
      await page.keyboard.press("Escape");
      await context.setOffline(true);
      await say(page, "not yet");
      await page.locator("#line").waitFor();
      assert.deepEqual(await violations(page), [], "offline");
    });
  }
}

test("everything is done by keyboard alone", async () => {
  const page = await tab(await browser(server), "keys");
  const { keyboard } = page;
  const focus = () => page.evaluate(() => document.activeElement.id);
  assert.equal(await focus(), "name", "it opens where one begins");
  await keyboard.type("anna");
  await keyboard.press("Enter");
  assert.equal(await focus(), "message");
  await keyboard.type("first");
  await keyboard.press("Enter");
  await keyboard.type("second");
  await keyboard.press("Shift+Enter");
  await keyboard.type("line");
  await keyboard.press("Enter");
  await showing(page, ["first", "second\nline"]);
  await sent(page);
  // The up key edits what one said last.
  await keyboard.press("ArrowUp");
  assert.equal(await page.locator("#message").inputValue(), "second\nline");
  await keyboard.type(", edited");
  await keyboard.press("Enter");
  await showing(page, ["first", "second\nline, edited"]);
  await keyboard.press("ArrowUp");
  assert.equal(await page.locator("#message").inputValue(), "second\nline, edited");
  await keyboard.press("Escape");
  assert.equal(await page.locator("#message").inputValue(), "");
  const reach = async (id) => {
    for (let n = 0; n < 30 && (await focus()) !== id; n += 1) await keyboard.press("Shift+Tab");
    assert.equal(await focus(), id);
  };
  await reach("log");
  await reach("people-button");
  await keyboard.press("Enter");
  await page.locator("#people-list").getByText("anna").waitFor();
  await keyboard.press("Escape");
  await page.locator("#people").waitFor({ state: "hidden" });
  await reach("share-button");
  await keyboard.press("Enter");
  await page.locator("#share").waitFor();
  await keyboard.press("Escape");
  await until("the focus is back", async () => (await focus()) === "share-button");
  await reach("rooms-button");
  await keyboard.press("Enter");
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  assert.equal(await focus(), "new-room-name");
  await keyboard.type("keys-2");
  await keyboard.press("Enter");
  await page.waitForURL("**/chat/keys-2");
  await page.locator("html.ready").waitFor();
  assert.equal(await focus(), "message", "one writes on at once");
});

test("a screen reader reads out what others say, and not what is scrolled by", async () => {
  const page = await tab(await browser(server, { name: "anna" }), "ear");
  await server.say("ear", "ben", "do you hear me?");
  const region = page.locator("#announce");
  await until("it is announced", async () => (await region.textContent()) === "ben: do you hear me?");
  assert.equal(await region.getAttribute("aria-live"), "polite");
  assert.equal(await page.locator("#log").getAttribute("aria-live"), "off");
  await say(page, "yes");
  await sent(page);
  assert.equal(await region.textContent(), "ben: do you hear me?", "nobody needs to hear their own messages");
  const tree = await page.locator("#log").ariaSnapshot();
  assert.match(tree, /ben[\s\S]*do you hear me\?[\s\S]*You[\s\S]*yes/);
});

test("without motion, nothing moves", async () => {
  const page = await tab(await browser(server, { ...PHONE, reducedMotion: "reduce" }), "still");
  await page.locator("#people-button").tap();
  const moving = await page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
});

// Safari ends a composition with an Enter of key code 229, and says that nothing is being composed: half a
// name was taken.
test("Enter that ends a composition gives no name and sends nothing", async () => {
  const page = await tab(await browser(server), "compose");
  const enter = (id) =>
    page.locator(id).evaluate((input) => {
      const event = { key: "Enter", keyCode: 229, bubbles: true, cancelable: true };
      return input.dispatchEvent(new KeyboardEvent("keydown", event));
    });
  await page.locator("#name").fill("に");
  assert.ok(await enter("#name"), "the input method has it");
  assert.ok(await page.locator("#name-row").isVisible());
  await page.locator("#name").press("Enter");
  await page.locator("#name-row").waitFor({ state: "hidden" });
  await page.locator("#message").fill("ほ");
  assert.ok(await enter("#message"));
  assert.equal(await page.locator("#message").inputValue(), "ほ");
});

// A reader who walked through the links of the log while history came in, or pressed "Try again", was thrown
// back to the beginning of the page.
test("the focus stays when its element is rebuilt or goes away", async () => {
  const context = await browser(server, { name: "anna" });
  for (let n = 0; n < 130; n += 1) await server.say("focus", "ben", `see https://example.org/${n}`);
  const page = await context.newPage();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/history*", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${server.origin}/chat/focus`);
  await page.locator("html.ready").waitFor();
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.href || "nowhere");
  const top = page.locator("#log a").first();
  await page.locator("#log").evaluate((log) => (log.scrollTop = 0));
  await top.focus();
  const link = await focus();
  release();
  await page.getByText("The beginning of what is kept").waitFor({ state: "attached" });
  assert.equal(await focus(), link);

  let refuse = true;
  await context.route("**/chat/focus?*", (route) =>
    route.request().method() === "POST" && refuse
      ? route.fulfill({ status: 413, body: JSON.stringify({ type: "urn:comet-chat:message-too-large", detail: "No." }) })
      : route.continue(),
  );
  await say(page, "again");
  await page.locator(".failure").waitFor();
  const announced = page.locator("#announce");
  await until("it is announced", async () => (await announced.textContent()) === "Not sent. The message is too long: send a shorter one.");
  refuse = false;
  await page.getByRole("button", { name: "Try again" }).focus();
  await page.keyboard.press("Enter");
  await sent(page);
  assert.equal(await focus(), "message");

  // The page still said that it was offline until its poll ended, up to 20 s after the network was back.
  await context.setOffline(true);
  await page.locator("#line").waitFor();
  await page.locator("#line-now").focus();
  await context.setOffline(false);
  await page.locator("#line").waitFor({ state: "hidden" });
  await until("it is announced", async () => (await announced.textContent()) === "Connected again.");
  assert.equal(await focus(), "message");
});

test("the focus stays in the list of rooms when the list is renewed", async () => {
  const context = await browser(server, { name: "anna", viewport: { width: 1300, height: 800 } });
  await server.say("focus-rooms", "ben", "hello");
  const page = await tab(context, "focus-rooms");
  const link = page.locator("#room-list a[aria-current]");
  await link.focus();
  const before = await link.elementHandle();
  await server.say("focus-rooms", "ben", "hello again");
  await until("it is renewed", () => before.evaluate((node) => !node.isConnected));
  assert.match(await page.evaluate(() => document.activeElement.href ?? ""), /focus-rooms$/);
});

// With the reader's own colours the switch was invisible, and the current room looked like the others.
test("with forced colours the switch is there, and the current room is marked", async () => {
  const options = { forcedColors: "active", viewport: { width: 1400, height: 800 }, name: "anna" };
  for (const room of ["colours", "other-colours"]) await server.say(room, "ben", "hello");
  const page = await tab(await browser(server, options), "colours");
  const style = (selector, property) =>
    page.locator(selector).first().evaluate((node, property) => getComputedStyle(node)[property], property);
  assert.equal(await style("#fold", "appearance"), "auto");
  await page.locator("#room-list a:not([aria-current])").first().waitFor();
  assert.equal(await style("#room-list a[aria-current]", "outlineStyle"), "solid");
  assert.equal(await style("#room-list a:not([aria-current])", "outlineStyle"), "none");
  assert.equal(await style("#send", "borderTopStyle"), "solid");
});

// After a reload, or when a phone was turned, the composer cut off the last line of a long draft.
test("a long draft is shown whole after a reload and after a rotation", async () => {
  const page = await tab(await browser(server, { ...PHONE, name: "anna" }), "draft");
  const draft = "a draft of some length that goes on for a while and a bit ".repeat(2);
  const fits = () =>
    page.locator("#message").evaluate((input) => {
      const { value, clientHeight, scrollHeight } = input;
      return value !== "" && clientHeight === scrollHeight && clientHeight > 40;
    });
  await page.locator("#message").fill(draft);
  const height = () => page.locator("#message").evaluate((input) => input.clientHeight);
  assert.ok(await fits());
  await page.reload();
  await page.locator("html.ready").waitFor();
  await until("it fits after a reload", fits);
  const tall = await height();
  await page.setViewportSize({ width: 700, height: 400 });
  await until("it fits when it is wider", async () => (await height()) < tall && (await fits()));
  const wide = await height();
  await page.setViewportSize({ width: 320, height: 844 });
  await until("it fits when it is narrow", async () => (await height()) > wide && (await fits()));
});
