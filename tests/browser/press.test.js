// A click by mouse takes a tenth of a second, and in a lively room all moves meanwhile, or is built anew. The click counts.

import assert from "node:assert/strict";

import { browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

const WIDE = { viewport: { width: 1400, height: 700 } };
const LONG = "long ".repeat(400).trim();

/** Presses a control, and releases it after `meanwhile` has made that it is no longer `there()`. */
async function press(page, control, meanwhile, there) {
  await until("it is pressed", async () => {
    await control.hover();
    await control.evaluate(note);
    await page.mouse.down();
    if (await page.evaluate(() => globalThis.pressed.is)) return true;
    // It moved before.
    await page.mouse.up();
    return false;
  });
  await meanwhile();
  await until("it is no longer there", async () => !(await page.evaluate(there)));
  await page.mouse.up();
}

/** Notes what the next press is on, and whether that is this control, or a twin built since. */
function note({ tagName, textContent }) {
  const press = ({ target, clientY }) => {
    const node = target.closest(tagName);
    globalThis.pressed = { node, y: clientY, is: node?.textContent === textContent };
  };
  addEventListener("pointerdown", press, { capture: true, once: true });
}

/** Builds every row of a page anew, as a new name does, which is given in another tab. */
function buildAnew(other) {
  let n = 0;
  return async () => {
    await other.locator("#me").click();
    await other.locator("#name").fill(`anna${(n += 1)}`);
    await other.locator("#name").press("Enter");
  };
}

/** Moves every row of a page that shows its end. */
const moveAll = (room) => () => server.say(room, "ben", "one\ntwo\nthree\nfour");

const isBuilt = () => globalThis.pressed.node.isConnected;
const isInPlace = () => {
  const { node, y } = globalThis.pressed;
  const { top, bottom } = node.getBoundingClientRect();
  return top < y && bottom > y;
};

/** A page in a room, and both ways in which what is pressed may be lost: what to do, and while what holds it is not done. */
async function pressed(room) {
  const context = await browser(server, { name: "anna", ...WIDE });
  const page = await tab(context, room);
  const other = await tab(context, room);
  await page.bringToFront();
  return { page, ways: [[buildAnew(other), isBuilt], [moveAll(room), isInPlace]] };
}

test("a long text opens and is folded", async () => {
  await server.say("texts", "ben", LONG);
  const { page, ways } = await pressed("texts");
  const button = page.locator("#log .more").first();
  for (const way of ways) {
    for (const [words, then] of [["Show all of it", "Show less"], ["Show less", "Show all of it"]]) {
      assert.equal(await button.textContent(), words);
      await press(page, button, ...way);
      await until(`it says: ${then}`, async () => (await button.textContent()) === then);
    }
  }
});

test("a line of people opens and is closed", async () => {
  await server.say("line", "ben", "hello");
  for (const name of ["dora", "emil", "fritz"]) {
    await server.join("line", name);
    await server.leave("line", name);
  }
  const { page, ways } = await pressed("line");
  const people = page.locator("#log details");
  for (const way of ways) {
    for (const open of [true, false]) {
      await press(page, people.locator("summary"), ...way);
      await until(`it is open: ${open}`, async () => (await people.evaluate((details) => details.open)) === open);
    }
  }
});

test("a message is answered", async () => {
  await server.say("bar", "cleo", "which one?");
  const { page, ways } = await pressed("bar");
  const answered = page.locator("#subject");
  for (const way of ways) {
    await page.locator("#log .bubble", { hasText: "which one?" }).hover();
    await press(page, page.getByRole("button", { name: "Reply", exact: true }), ...way);
    await answered.waitFor();
    assert.match(await answered.textContent(), /which one\?/);
    await page.keyboard.press("Escape");
    await answered.waitFor({ state: "hidden" });
  }
});

test("the other room is gone to, though something is unread there meanwhile", async () => {
  const context = await browser(server, { name: "anna", ...WIDE });
  await server.say("there", "ben", "hello");
  const there = await tab(context, "there");
  await until("it is read", () => there.evaluate(() => localStorage.getItem("comet-chat/read/there")));
  await there.close();
  const page = await tab(context, "here");
  const link = page.locator("#room-list li[data-room=there] a");
  await press(page, link, () => server.say("there", "ben", "news"), isBuilt);
  await page.waitForURL(/\/chat\/there$/);
});

test("who draws the pointer away does not click", async () => {
  const { page, ways } = await pressed("drawn");
  await say(page, LONG);
  await sent(page);
  const button = page.locator("#log .more");
  await showing(page, ["Show all of it"], () => button.allTextContents());
  const [anew] = ways;
  const { x, y } = await button.boundingBox();
  await press(
    page,
    button,
    async () => {
      await anew[0]();
      await page.mouse.move(x, y - 80);
    },
    anew[1],
  );
  // A click would have been one at once.
  assert.equal(await button.textContent(), "Show all of it");
});
