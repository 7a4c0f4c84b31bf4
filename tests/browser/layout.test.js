// Where things stand: on a desk, on a phone, on a phone held across, and at 400 %.

import assert from "node:assert/strict";

import { PHONE, browser, joined, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** The box of the first element of this selector, in whole pixels. */
const boxOf = (page, selector) =>
  page.locator(selector).first().evaluate((node) => {
    const { top, bottom, left, right } = node.getBoundingClientRect();
    return Object.fromEntries(Object.entries({ top, bottom, left, right }).map(([side, at]) => [side, Math.round(at)]));
  });

// The buttons stood lower than the sentence, and the last of them alone in a line of its own.
test("what can be done about a failure stands in one line, level with the sentence if there is room", async () => {
  const context = await browser(server, { name: "anna" });
  await context.route("**/chat/failure*", (route) =>
    route.request().method() !== "POST"
      ? route.continue()
      : route.fulfill({
          status: 413,
          contentType: "application/problem+json",
          body: '{"type":"urn:comet-chat:message-too-large","detail":"A message has at most 64 KiB."}',
        }),
  );
  const page = await tab(context, "failure");
  await say(page, "too much");
  const lines = (selector) =>
    page.locator(selector).evaluateAll((nodes) => {
      // The line on which the words stand, and not the box around them, which a finger must hit.
      const bottom = (node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return Math.round(range.getBoundingClientRect().bottom);
      };
      return new Set(nodes.map(bottom)).size;
    });
  await page.locator(".failure").waitFor();
  assert.equal(await lines(".failure > span:first-child, .failure button"), 1);
  await page.setViewportSize({ width: 320, height: 600 });
  assert.equal(await lines(".failure button"), 1);
});

// The marks of such a name were drawn over the messages above it.
test("a letter with many marks stays in its avatar", async () => {
  const name = `Z${"\u0301".repeat(40)}algo`;
  await server.say("marks", name, "hello");
  const page = await tab(await browser(server, { name, viewport: { width: 1400, height: 700 } }), "marks");
  await page.locator("#people-list .avatar").first().waitFor();
  const clips = (selector) =>
    page.locator(selector).evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node).overflowY));
  for (const selector of ["#log .avatar", "#people-list .avatar", "#me"])
    assert.deepEqual(await clips(selector), ["clip"], selector);
});

test("who joined stands as far from the message above as from the one below", async () => {
  await server.say("distance", "ben", "one");
  await server.say("distance", "ben", "two");
  const page = await tab(await browser(server, { name: "anna" }), "distance");
  await joined(page, "anna");
  // One person is a line, and several are one that opens.
  for (const people of [["cleo"], ["dora", "emil", "finn"]]) {
    await server.say("distance", "ben", `before ${people}`);
    for (const name of people) await server.join("distance", name);
    await page.locator("#log").getByText(`${people[0]}`).last().waitFor();
    await server.say("distance", "ben", `after ${people}`);
    await page.locator("#log .text").getByText(`after ${people}`).waitFor();
    const [above, below] = await page.locator("#log .row.presence").last().evaluate((row) => {
      const line = document.createRange();
      line.selectNodeContents(row.querySelector("summary") ?? row.querySelector("p"));
      const { top, bottom } = line.getBoundingClientRect();
      const before = row.previousElementSibling.querySelector(".bubble").getBoundingClientRect();
      const after = row.nextElementSibling.querySelector(".who").getBoundingClientRect();
      return [top - before.bottom, after.top - bottom];
    });
    assert.ok(above >= 8 && Math.abs(above - below) <= 2, `${people}: ${above} above, ${below} below`);
  }
});

// Beneath an Arabic name stood English facts in English order; and in a page from right to left "2 people" was "people 2".
test("a room's facts are read in the direction of its name, and each in its own", async () => {
  for (const room of ["ورشة", "facts"]) {
    await server.say(room, "ben", "hello");
    await server.join(room, "anna");
  }
  const page = await tab(await browser(server, { name: "anna", viewport: { width: 1400, height: 700 } }), "facts");
  const factsOf = (room) =>
    page.locator(`#room-list [data-room="${room}"] .about`).evaluate((about) => {
      const edges = (node, from, to) => {
        const range = document.createRange();
        range.setStart(node.firstChild, from);
        range.setEnd(node.firstChild, to);
        return range.getBoundingClientRect();
      };
      const facts = [...about.querySelectorAll("bdi")];
      const [first, last] = [facts[0], facts.at(-1)].map((node) => edges(node, 0, node.textContent.length).left);
      const [digit, word] = [edges(facts[0], 0, 1).left, edges(facts[0], 2, 3).left];
      const name = about.querySelector("b").getBoundingClientRect();
      return { inOrder: first < last, isWhole: digit < word, count: facts.length, left: name.left };
    });
  await page.locator('#room-list [data-room="ورشة"] bdi').nth(1).waitFor();
  for (const direction of ["ltr", "rtl"]) {
    await page.evaluate((direction) => (document.dir = direction), direction);
    const [latin, arabic] = [await factsOf("facts"), await factsOf("ورشة")];
    assert.deepEqual([latin.inOrder, arabic.inOrder], [true, false], direction);
    assert.deepEqual([latin.isWhole, arabic.isWhole], [true, true], direction);
    assert.equal(latin.count, 2);
  }
});

test("the share dialog names the room, and all of it is in view on a phone, upright and held across", async () => {
  const room = `a-room-${"whose-name-goes-on-".repeat(3)}`.slice(0, 64);
  const page = await tab(await browser(server, { ...PHONE, name: "anna" }), room);
  for (const [width, height] of [
    [320, 568],
    [640, 320],
    [844, 390],
    [1280, 800],
  ]) {
    await page.setViewportSize({ width, height });
    await page.locator("#share-button").click();
    await page.locator("#qr").evaluate((image) => image.decode());
    const dialog = await boxOf(page, "#share");
    const { scrollHeight, clientHeight } = await page
      .locator("#share")
      .evaluate(({ scrollHeight, clientHeight }) => ({ scrollHeight, clientHeight }));
    assert.ok(scrollHeight <= clientHeight, `${width}: ${scrollHeight} of ${clientHeight}`);
    for (const part of ["#share-title", "#share-close", "#share-room", "#qr", "#address", "#copy"]) {
      const { top, bottom, left, right } = await boxOf(page, part);
      const isInside = top >= dialog.top && bottom <= dialog.bottom && left >= dialog.left && right <= dialog.right;
      assert.ok(isInside && top >= 0 && bottom <= height, `${part} at ${width} x ${height}`);
    }
    assert.equal(await page.locator("#share-room").innerText(), room);
    const code = await boxOf(page, "#qr");
    assert.ok(code.right - code.left >= 200, "a camera reads it");
    await page.keyboard.press("Escape");
  }
});

// "Nobody here yet", "Nothing has been said here yet" and "The beginning of what is kept" stood on one page.
test("that there is nothing yet is said once", async () => {
  const visitor = await tab(await browser(server), "silence");
  const anna = await tab(await browser(server, { name: "anna" }), "silence");
  await anna.getByText("1 person here").waitFor();
  await visitor.getByText("1 person here").waitFor();
  await anna.reload();
  await until("the history is read", () =>
    anna.locator("#edge").evaluate((edge) => edge.textContent === "The beginning of what is kept"),
  );
  const shown = (page) =>
    page.getByText(/nobody|nothing|beginning/i).filter({ visible: true }).allTextContents();
  assert.deepEqual(await shown(anna), ["Nothing has been said here yet."]);
  await anna.close();
  await until("nobody is there", async () => (await visitor.locator("#presence").textContent()) === "Nobody here");
  assert.deepEqual(await shown(visitor), ["Nothing has been said here yet."]);
  await server.say("silence", null, "hello");
  await visitor.getByText("Nobody here").waitFor();
});

// After a refused first look the page said that nobody was there as soon as it had a name, and it asked again only when
// somebody came.
test("who is here is not told before the server has said so, and then soon", async () => {
  const context = await browser(server);
  let refused = 0;
  let refuses = true;
  await context.route("**/people", async (route) => {
    if (!refuses) return route.continue();
    await route.fulfill({ status: 503, headers: { "Retry-After": "1" }, body: "" });
    refused += 1;
  });
  const page = await tab(context, "untold");
  await until("it asks again while nobody comes", () => refused > 1);
  await page.locator("#name").fill("anna");
  await page.locator("#name").press("Enter");
  await until("the server knows the name", async () => (await server.people("untold")).includes("anna"));
  assert.equal(await page.locator("#presence").textContent(), "");
  refuses = false;
  await page.getByText("1 person here").waitFor();
});

test("names stand in the order in which people count", async () => {
  const names = ["user 10", "user 2", "Émile", "User 1", "emil", "zoé"];
  // Again before each look, as who is not seen for 15 s has left.
  const join = () => Promise.all(names.map((name) => server.join("count", name)));
  const context = await browser(server, { viewport: { width: 1400, height: 700 } });
  for (const room of ["count-10", "count-9", "count-1"]) await tab(context, room);
  await until("the server knows the rooms", async () => (await server.waiting("count-10", "count-9", "count-1")) === 3);
  const page = await tab(context, "count");
  const sorted = ["emil", "Émile", "User 1", "user 2", "user 10", "zoé"];
  const people = async () => {
    await join();
    return page.locator("#people-list bdi").allTextContents();
  };
  await until("all are there", async () => (await people()).length === sorted.length);
  assert.deepEqual(await people(), sorted);
  // Nothing was said in these, so their times don't order them.
  const rooms = async () => (await page.locator("#room-list b").allTextContents()).filter((room) => room.startsWith("count"));
  await showing(page, ["count", "count-1", "count-9", "count-10"], rooms);
  await page.locator("#message").pressSequentially("@user");
  await page.locator("#mentions li").first().waitFor();
  assert.deepEqual(await page.locator("#mentions bdi").allTextContents(), ["User 1", "user 2", "user 10"]);
});

test("messages that stand together have one time and one tick, and a pointer sees the others'", async () => {
  for (const text of ["one", "two", "three"]) await server.say("run", "ben", text);
  const page = await tab(await browser(server, { name: "anna" }), "run");
  for (const text of ["four", "five"]) {
    await say(page, text);
    await sent(page);
  }
  await page.locator("#log .row.own").nth(1).waitFor();
  const seen = (selector) =>
    page.locator("#log .row.message").evaluateAll(
      (rows, selector) =>
        rows.filter((row) => row.querySelector(selector)?.checkVisibility()).map((row) => row.querySelector(".text").textContent),
      selector,
    );
  assert.deepEqual(await seen("time"), ["three", "five"]);
  assert.deepEqual(await seen(".sign"), ["five"]);
  for (const text of ["one", "four"]) {
    await page.locator("#log .bubble", { hasText: text }).hover();
    assert.ok((await seen("time")).includes(text));
    assert.ok(await page.locator("#log").evaluate((log) => log.scrollWidth === log.clientWidth), "nothing is wider for it");
  }
});

test("on a phone Enter begins a new line and the button sends, and Control and Enter send everywhere", async () => {
  const phone = await tab(await browser(server, { ...PHONE, name: "anna" }), "lines");
  const message = phone.locator("#message");
  assert.equal(await message.getAttribute("enterkeyhint"), "enter");
  await message.fill("one");
  await message.press("Enter");
  await message.pressSequentially("two");
  await phone.locator("#send").tap();
  await showing(phone, ["one\ntwo"]);
  const desk = await tab(await browser(server, { name: "ben" }), "lines");
  assert.equal(await desk.locator("#message").getAttribute("enterkeyhint"), "send");
  await desk.locator("#message").fill("three");
  await desk.locator("#message").press("Enter");
  await sent(desk);
  for (const page of [phone, desk]) {
    await page.locator("#message").fill("four");
    await page.locator("#message").press("Control+Enter");
    await sent(page);
  }
  await showing(phone, ["one\ntwo", "three", "four", "four"]);
});

test("at 400 % nothing covers another, and the messages keep some lines", async () => {
  for (let n = 0; n < 12; n += 1) await server.say("zoomed", "ben", `message ${n}`);
  const context = await browser(server, { viewport: { width: 320, height: 256 } });
  const page = await tab(context, "zoomed");
  await page.locator("#log").evaluate((log) => (log.scrollTop = 0));
  await page.locator("#down").waitFor();
  await context.route("**/chat/zoomed?*", (route) => route.fulfill({ status: 200, contentType: "text/html", body: "Sign in" }));
  await page.locator("#line").getByText("something between here and the server").waitFor();
  await page.locator("#send").click();
  const parts = ["#bar", "#line", "#log", "#down", "#composer"];
  const boxes = await Promise.all(parts.map((part) => boxOf(page, part)));
  boxes.slice(1).forEach((box, n) => assert.ok(box.top >= boxes[n].bottom, `${parts[n + 1]} is below ${parts[n]}`));
  const log = boxes[2];
  assert.ok(log.bottom - log.top >= 128, `${log.bottom - log.top} px of messages`);
  for (const part of parts) {
    await page.locator(part).scrollIntoViewIfNeeded();
    const { top, bottom, left, right } = await boxOf(page, part);
    assert.ok(top < 256 && bottom > 0 && left >= 0 && right <= 320, `${part} comes into view`);
  }
});

test("the browser's own search finds all that is shown", async () => {
  await server.say("find", "ben", `first ${"word ".repeat(6_000)} lastofall`);
  await server.say("find", "ben", "and `incode` too");
  const page = await tab(await browser(server, { name: "anna" }), "find");
  // By key: ben leaves just now, perhaps, and a pointer that finds another row there has what can be done with it before it.
  await page.getByRole("button", { name: "Show all of it" }).press("Enter");
  const finds = (text) => page.evaluate((text) => find(text, false, false, true), text);
  for (const text of ["first word", "lastofall", "incode", "find"]) assert.ok(await finds(text), text);
  assert.equal(await finds("not there"), false);
});
