// Two people chat in two browsers.

import assert from "node:assert/strict";

import { PHONE, browser, joined, say, sent, setHidden, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

test("two browsers chat both ways, in one order", async () => {
  const anna = await tab(await browser(server, { name: "anna" }), "talk");
  const ben = await tab(await browser(server, { name: "ben" }), "talk");
  const said = [];
  for (let round = 1; round <= 5; round += 1) {
    for (const [page, name] of [
      [anna, "anna"],
      [ben, "ben"],
    ]) {
      said.push(`${name} ${round}`);
      await say(page, `${name} ${round}`);
      await showing(anna, said);
      await showing(ben, said);
    }
  }
  assert.deepEqual(await server.said("talk"), said);
  assert.equal(await anna.locator(".row.own").count(), 5);
  assert.deepEqual(await anna.locator(".row.own .sign").first().getAttribute("aria-label"), "Sent");
  assert.deepEqual(await ben.locator(".row.message:not(.own) .who").allTextContents(), Array(5).fill("anna"));
});

test("a stranger with a link writes a name and a message, and is in the conversation", async () => {
  await server.say("link", "anna", "come in");
  const phone = await tab(await browser(server, PHONE), "link");
  await showing(phone, ["come in"]);
  await phone.locator("#name").fill("max");
  await phone.locator("#message").fill("here I am");
  await phone.locator("#send").tap();
  await showing(phone, ["come in", "here I am"]);
  await sent(phone);
  assert.deepEqual(await server.said("link"), ["come in", "here I am"]);
  await phone.reload();
  await until("the name is kept", async () => !(await phone.locator("#name-row").isVisible()));
  assert.equal(await phone.locator(".row.own").count(), 1, "own messages are still marked");
});

test("without a name nothing is sent, and the page says why", async () => {
  const page = await tab(await browser(server), "nameless");
  await say(page, "hello");
  await page.getByText("A name first").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "name");
  assert.deepEqual(await server.said("nameless"), []);
  await page.locator("#name").fill("anna");
  await page.locator("#name").press("Enter");
  await page.locator("#message").press("Enter");
  await showing(page, ["hello"]);
});

test("people who come and go are shown and counted", async () => {
  const anna = await tab(await browser(server, { name: "anna" }), "door");
  await anna.getByText("1 person here").waitFor();
  const ben = await tab(await browser(server, { name: "ben" }), "door");
  await anna.getByText("2 people here").waitFor();
  await joined(anna, "ben");
  await anna.locator("#people-button").click();
  assert.deepEqual(await anna.locator("#people-list bdi").allTextContents(), ["anna", "ben"]);
  await anna.locator("#people-list").getByText("you", { exact: true }).waitFor();
  await ben.close({ runBeforeUnload: true });
  await anna.getByText("1 person here").waitFor();
  await anna.locator("#fold").uncheck();
  await until("they fold away", async () => (await anna.locator("#log .row.presence:visible").count()) === 0);
});

/** The server waits four seconds for a page that is loaded again. One that takes longer proves nothing, in milliseconds. */
const RELOAD = 3_500;

test("a person who reloads the page has not left", async () => {
  for (let tries = 0; tries < 3; tries += 1) {
    const room = `reload-${tries}`;
    const page = await tab(await browser(server, { name: "anna" }), room);
    await page.getByText("1 person here").waitFor();
    let slowest = 0;
    for (let n = 0; n < 3; n += 1) {
      const begun = Date.now();
      const isBack = page.waitForRequest(/wait=[1-9].*name=anna/);
      await page.reload();
      await isBack;
      slowest = Math.max(slowest, Date.now() - begun);
      await page.getByText("1 person here").waitFor();
      await say(page, `reload ${n}`);
      await sent(page);
    }
    if (slowest > RELOAD) continue;
    const kinds = (await server.all(room)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["joined", "message", "message", "message"]);
    return;
  }
  console.log("This machine is too slow to see whether a person who reloads has left.");
});

test("messages that come while the reader is away are counted in the title and marked in the log", async () => {
  const page = await tab(await browser(server, { name: "anna" }), "away");
  await server.say("away", "ben", "before");
  await showing(page, ["before"]);
  await setHidden(page, true);
  await server.say("away", "ben", "one");
  await server.say("away", "ben", "two");
  await until("the title counts", async () => (await page.title()).startsWith("(2) away"));
  assert.match(await page.locator("#icon").getAttribute("href"), /unread/);
  const rows = page.locator("#log .row.message, #log .row.marker");
  assert.deepEqual(
    await rows.evaluateAll((rows) => rows.map((row) => row.id || row.querySelector(".text").textContent)),
    ["before", "marker", "one", "two"],
  );
  await setHidden(page, false);
  await until("the title is quiet", async () => !(await page.title()).startsWith("("));
  assert.doesNotMatch(await page.locator("#icon").getAttribute("href"), /unread/);
});

test("the marker stands where the reader stopped, on the next visit too", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "later");
  await server.say("later", "ben", "read");
  await showing(page, ["read"]);
  await page.close();
  await server.say("later", "ben", "unread");
  const again = await tab(context, "later");
  await again.locator("#marker").waitFor();
  const after = again.locator("#marker + .row .text");
  assert.equal(await after.textContent(), "unread");
});
