// Older browsers: the page does without what is missing, or says what it needs.

import assert from "node:assert/strict";

import { browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** The newest of what the page uses, and a few that it must not use: how to take each away. */
const NEWEST = {
  "popovers": "for (const name of ['showPopover', 'hidePopover', 'togglePopover', 'popover']) delete HTMLElement.prototype[name]",
  "dialogs": "delete globalThis.HTMLDialogElement.prototype.showModal",
  "Intl.Segmenter": "delete Intl.Segmenter",
  "BroadcastChannel": "delete globalThis.BroadcastChannel",
  "Web Locks": "delete Navigator.prototype.locks",
  "visualViewport": "delete globalThis.visualViewport",
  "the clipboard": "delete Navigator.prototype.clipboard",
  "sendBeacon": "delete Navigator.prototype.sendBeacon",
  "checkVisibility": "delete Element.prototype.checkVisibility",
  "structuredClone": "delete globalThis.structuredClone",
  "URL.canParse": "delete URL.canParse",
  "AbortSignal.any and timeout": "delete AbortSignal.any; delete AbortSignal.timeout",
  "arrays of 2023": "for (const name of ['toSorted', 'toReversed', 'toSpliced', 'with', 'findLast', 'findLastIndex']) delete Array.prototype[name]",
  "groupBy and withResolvers": "delete Object.groupBy; delete Map.groupBy; delete Promise.withResolvers",
  "sets of 2024": "for (const name of ['union', 'difference', 'intersection', 'isSubsetOf']) delete Set.prototype[name]",
  "well-formed strings": "delete String.prototype.isWellFormed; delete String.prototype.toWellFormed",
  "randomUUID": "delete Crypto.prototype.randomUUID",
  "localStorage": "Object.defineProperty(globalThis, 'localStorage', { get() { throw new Error('forbidden'); } })",
  "sessionStorage": "Object.defineProperty(globalThis, 'sessionStorage', { get() { throw new Error('forbidden'); } })",
  "IntersectionObserver": "delete globalThis.IntersectionObserver",
  "private names of classes": null,
};

/** Which of them the chat goes on without, but not all of the page. */
const TOLD = ["popovers", "dialogs"];

/** Without these nothing runs. */
const NEEDED = ["IntersectionObserver", "private names of classes"];

// A browser without `URL.canParse` showed one message of three, without a word.
test("without one of the newest functions the page chats on, or says what it needs", async () => {
  const without = async ([what, remove]) => {
    const context = await browser(server);
    const room = `old-${what.replaceAll(" ", "-").replaceAll("(", "")}`;
    await server.say(room, "ben", "hello");
    if (remove) await context.addInitScript(remove);
    // A script that does not parse.
    else await context.route("**/page/*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "class {#" }));
    const page = await context.newPage();
    await page.goto(`${server.origin}/chat/${room}`);
    const told = page.locator("#old");
    const isTold = () => told.evaluate((node) => getComputedStyle(node).visibility === "visible");
    if (NEEDED.includes(what)) {
      await until(`without ${what} the page says so`, isTold);
      context.faults.length = 0;
      return;
    }
    await page.locator("html.running").waitFor();
    assert.equal(await isTold(), TOLD.includes(what), what);
    await page.locator("#name").fill("anna");
    await say(page, "http://a.example/ @ben hi");
    await sent(page);
    await server.say(room, "ben", "live");
    await showing(page, ["hello", "http://a.example/ @ben hi", "live"]);
    await context.close();
  };
  const all = Object.entries(NEWEST);
  const faults = [];
  // A few at a time, as each is a browser.
  const hand = async () => {
    for (let next = all.pop(); next; next = all.pop())
      await without(next).catch((error) => faults.push(`without ${next[0]}: ${error.message}`));
  };
  await Promise.all([hand(), hand(), hand(), hand()]);
  assert.deepEqual(faults, []);
});
