// What is written is published once, whatever happens to the network or the server.

import assert from "node:assert/strict";

import { browser, newSeed, say, sent, showing, shown, tab, test, until } from "./browser.js";
import { randomFrom } from "./chance.js";
import { Server } from "./server.js";

const server = await Server.common();

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => `message ${from + n}`);

test("a server that is killed and started again while somebody writes loses nothing and doubles nothing", async () => {
  const mortal = await Server.start();
  const anna = await tab(await browser(mortal, { name: "anna" }), "kill");
  const ben = await tab(await browser(mortal, { name: "ben" }), "kill");
  const writing = (async () => {
    for (const text of numbers(1, 40)) await say(anna, text);
  })();
  for (const seen of [5, 15, 25]) {
    await until(`${seen} messages`, async () => (await shown(ben)).length >= seen);
    await mortal.kill();
    await mortal.restart();
  }
  await writing;
  await showing(anna, numbers(1, 40));
  await showing(ben, numbers(1, 40));
  await sent(anna);
  assert.deepEqual(await mortal.said("kill"), numbers(1, 40));
  await mortal.end();
});

test("while the server is away the page says so, counts down, and keeps what is written", async () => {
  const mortal = await Server.start();
  const page = await tab(await browser(mortal, { name: "anna" }), "away");
  await say(page, "before");
  await sent(page);
  await mortal.kill();
  await page.locator("#line-text", { hasText: "Reconnecting" }).waitFor();
  await until("a countdown", async () => /in \d+ s/.test(await page.locator("#line-count").textContent()));
  await say(page, "during");
  await page.locator("#outbox .row.sending").waitFor();
  await mortal.restart();
  await page.locator("#line").waitFor({ state: "hidden" });
  await showing(page, ["before", "during"]);
  await sent(page);
  assert.deepEqual(await mortal.said("away"), ["before", "during"]);
  await mortal.end();
});

test("messages written offline are sent in their order when the network is back", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "offline");
  await say(page, "before");
  await sent(page);
  await showing(page, ["before"]);
  await context.setOffline(true);
  await page.getByText("You are offline").waitFor();
  for (const text of ["one", "two", "three"]) await say(page, text);
  await server.say("offline", "ben", "meanwhile");
  assert.equal(await page.locator("#outbox .row.sending").count(), 3);
  await context.setOffline(false);
  await showing(page, ["before", "meanwhile", "one", "two", "three"]);
  await sent(page);
  await page.locator("#line").waitFor({ state: "hidden" });
  assert.deepEqual(await server.said("offline"), ["before", "meanwhile", "one", "two", "three"]);
});

test("messages written offline in a tab that closed are sent from the next one", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "closed");
  await context.route("**/chat/closed*", (route) =>
    route.request().method() === "POST" ? route.abort() : route.continue(),
  );
  await say(page, "kept");
  await page.locator("#outbox .row.sending").waitFor();
  await page.close();
  await context.unroute("**/chat/closed*");
  const next = await tab(context, "closed");
  await showing(next, ["kept"]);
  await sent(next);
  assert.deepEqual(await server.said("closed"), ["kept"]);
});

test("an answer that is lost on the way does not double the message", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "answer");
  let lost = 0;
  await context.route("**/chat/answer*", async (route) => {
    if (route.request().method() !== "POST" || lost >= 2) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort();
  });
  await say(page, "once");
  await until("it was sent three times", () => lost === 2);
  await sent(page);
  await showing(page, ["once"]);
  assert.deepEqual(await server.said("answer"), ["once"]);
  assert.equal(await page.locator(".row.own").count(), 1);
});

// Up said that it can be edited when it is sent, for as long as no answer came.
test("what was sent without an answer is edited as soon as it is known where it is, also in another tab", async () => {
  const context = await browser(server, { name: "anna" });
  const [page, other] = [await tab(context, "known"), await tab(context, "known")];
  const ben = await tab(await browser(server, { name: "ben" }), "known");
  let lose = null;
  let tries = 0;
  await context.route("**/chat/known*", async (route) => {
    if (route.request().method() !== "POST" || lose === null) return route.continue();
    if (lose === "answer") await route.fetch();
    tries += 1;
    await route.abort().catch(() => {});
  });
  const box = page.locator("#message");
  const waiting = (page) => page.locator("#outbox .row .text").allTextContents();
  const tried = async (text, what) => {
    [lose, tries] = [what, 0];
    await say(page, text);
    await until("it was tried", () => tries > 0);
    await box.press("ArrowUp");
    assert.equal(await box.inputValue(), text);
    await page.getByText("Edit your message").waitFor();
  };
  // The server has it, and the page that edits it is loaded again before it knows that.
  await tried("frist", "answer");
  await say(page, "first");
  await showing(page, ["first"]);
  await showing(ben, ["frist"]);
  await page.reload();
  await showing(page, ["first"]);
  lose = null;
  await sent(page);
  await showing(ben, ["first"]);
  // The server has not got it, and two tabs edit it.
  await tried("secnd", "request");
  await say(page, "secod");
  await showing(other, ["first", "secod"]);
  await other.locator("#message").press("ArrowUp");
  assert.equal(await other.locator("#message").inputValue(), "secod");
  await say(other, "second");
  lose = null;
  for (const one of [page, other, ben]) await showing(one, ["first", "second"]);
  // Its answer comes while it is edited, and the page is loaded again.
  await sent(page);
  await tried("thrid", "answer");
  lose = null;
  await sent(page);
  await page.reload();
  await until("the edit is there again", async () => (await box.inputValue()) === "thrid");
  await say(page, "third");
  await showing(ben, ["first", "second", "third"]);
  await sent(page);
  await tried("fourth", "answer");
  await say(page, "");
  await page.locator("#ask-yes").click();
  lose = null;
  for (const one of [page, other, ben]) await showing(one, ["first", "second", "third", "Deleted"]);
  // What nobody has begun to send goes as it was edited; what was tried may have arrived, also if the browser says that it
  // is offline.
  await sent(page);
  await context.setOffline(true);
  const failed = context.waitForEvent("requestfailed", (request) => request.method() === "POST");
  await say(page, "fith");
  await failed;
  await say(page, "sixht");
  await showing(page, ["fith", "sixht"], waiting);
  await box.press("ArrowUp");
  assert.equal(await box.inputValue(), "sixht");
  await say(page, "sixth");
  await showing(page, ["fith", "sixth"], waiting);
  await context.setOffline(false);
  await sent(page);
  await showing(ben, ["first", "second", "third", "Deleted", "fith", "sixth"]);
  const kinds = (await server.all("known")).map(({ kind }) => kind).filter((kind) => !["joined", "left"].includes(kind));
  assert.deepEqual(kinds.filter((kind) => kind === "message").length, 6, kinds.join());
  assert.equal(await ben.locator("#log .row.message").last().locator(".edited").count(), 0);
});

// A tab hears late what another has just kept. It took a message back that the other had sent meanwhile, and said it again.
test("a message that another tab has just sent is not said again when it is edited", async () => {
  const context = await browser(server, { name: "anna" });
  const [page, other] = [await tab(context, "late"), await tab(context, "late")];
  let cut = true;
  await context.route("**/chat/late*", (route) =>
    cut && route.request().method() === "POST" ? route.abort() : route.continue(),
  );
  const failed = page.waitForEvent("requestfailed", (request) => request.method() === "POST");
  await say(page, "first");
  await failed;
  await say(page, "secnd");
  await showing(other, ["first", "secnd"]);
  // While this tab does nothing else, the other one sends both. Then it still knows what it knew before.
  const late = page.evaluate(() => {
    const isSaid = () => {
      const request = new XMLHttpRequest();
      request.open("GET", "/chat/late/history", false);
      request.send();
      return request.responseText.includes("secnd");
    };
    while (!isSaid());
    const box = document.getElementById("message");
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true, cancelable: true }));
    return box.value;
  });
  cut = false;
  await say(other, "third");
  assert.equal(await late, "secnd");
  await say(page, "second");
  for (const one of [page, other]) await sent(one);
  await showing(page, ["first", "second", "third"]);
  assert.deepEqual(await server.said("late"), ["first", "second", "third"]);
});

test("a message that was sent is not said again after it was edited, though the tab does not know that it was tried", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "untold");
  let lose = true;
  await context.route("**/chat/untold*", async (route) => {
    if (route.request().method() !== "POST" || !lose) return route.continue();
    await route.fetch();
    await route.abort();
  });
  const box = page.locator("#message");
  const failed = page.waitForEvent("requestfailed", (request) => request.method() === "POST");
  await say(page, "frist");
  await failed;
  await box.press("ArrowUp");
  assert.equal(await box.inputValue(), "frist");
  // As if it had not heard yet what another tab keeps.
  await page.evaluate(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith("comet-chat/outcome/untold/")) localStorage.removeItem(key);
  });
  lose = false;
  await say(page, "first");
  await sent(page);
  await showing(page, ["first"]);
  assert.deepEqual(await server.said("untold"), ["first"]);
});

test("a tab that waits for its answer does not delay another for long", async () => {
  const context = await browser(server, { name: "anna" });
  const first = await tab(context, "slow");
  const second = await tab(context, "swift");
  let held;
  await context.route("**/chat/slow*", (route) => {
    if (route.request().method() === "POST" && !held) held = route;
    else route.continue();
  });
  await say(first, "slow");
  await until("it waits", () => held);
  await say(second, "swift");
  await sent(second);
  await held.continue();
  await sent(first);
  assert.deepEqual(await server.said("slow"), ["slow"]);
  assert.deepEqual(await server.said("swift"), ["swift"]);
});

test("a refused message is shown as failed, with its reason, and is sent when tried again", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "refused");
  const ids = [];
  let refuse = true;
  await context.route("**/chat/refused*", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    ids.push(new URL(route.request().url()).searchParams.get("id"));
    if (!refuse) return route.continue();
    return route.fulfill({
      status: 413,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "urn:comet-chat:message-too-large", detail: "Too much." }),
    });
  });
  await say(page, "again");
  await page.locator(".failure").getByText("The message is too long").waitFor();
  await say(page, "other");
  await page.locator(".failure").getByText("The message is too long").nth(1).waitFor();
  refuse = false;
  await page.getByRole("button", { name: "Discard" }).nth(1).click();
  await page.getByRole("button", { name: "Try again" }).click();
  await showing(page, ["again"]);
  await sent(page);
  assert.deepEqual(await server.said("refused"), ["again"]);
  assert.equal(ids.at(-1), ids[0], "under the id that it had");
});

test("a full server is asked again when it says", async () => {
  const context = await browser(server, { name: "anna" });
  let full = true;
  let posts = 0;
  await context.route(/chat\/full/, (route) => {
    const request = route.request();
    if (request.resourceType() === "document" || !full) return route.continue();
    if (request.method() === "POST") posts += 1;
    return route.fulfill({ status: 503, headers: { "Retry-After": "1" }, body: "full" });
  });
  const page = await tab(context, "full");
  await page.locator("#line-text", { hasText: "Reconnecting" }).waitFor();
  await say(page, "patience");
  await until("it was refused", () => posts > 0);
  full = false;
  await sent(page);
  await showing(page, ["patience"]);
  await page.locator("#line").waitFor({ state: "hidden" });
  assert.deepEqual(await server.said("full"), ["patience"]);
});

test("messages that are no longer kept are shown as a line in their place", async () => {
  const forgetful = await Server.start({ store: "memory:" });
  const page = await tab(await browser(forgetful), "gap");
  await forgetful.say("gap", "ben", "one");
  await showing(page, ["one"]);
  await forgetful.kill();
  await forgetful.restart();
  await forgetful.say("gap", "ben", "two");
  await showing(page, ["one", "two"]);
  const order = page.locator("#log .row.message .text, #log .row.gap span");
  assert.deepEqual(await order.allTextContents(), ["one", "Some messages are no longer kept", "two"]);
  await forgetful.end();
});

// An empty 200, as some proxies answer, once made a tab poll 430 times a second, and removed a message from
// the outbox that the server had never received. A captive portal's refusal in HTML failed the message.
test("an answer that is not the server's own removes no message and hurries no poll, and the page says so", async () => {
  const html = { contentType: "text/html", body: "<h1>Sign in to the network</h1>" };
  const answers = {
    "empty-200": { status: 200, body: "" },
    "empty-204": { status: 204 },
    "html-200": { status: 200, ...html },
    "json-200": { status: 200, contentType: "application/json", body: '{"status":"ok"}' },
    "html-403": { status: 403, ...html },
    "html-502": { status: 502, ...html },
    "json-404": { status: 404, contentType: "application/json", body: '{"error":"no such app"}' },
  };
  const tried = Object.entries(answers).map(async ([room, answer]) => {
    const context = await browser(server, { name: "anna" });
    const page = await tab(context, room);
    await say(page, "before");
    await sent(page);
    let between = true;
    const begun = Date.now();
    let polls = 0;
    let posts = 0;
    await context.route(/\/chat\/|\/rooms/, (route) => {
      const request = route.request();
      if (!between || request.resourceType() === "document") return route.continue();
      if (request.method() === "POST") posts += 1;
      if (/wait=/.test(request.url())) polls += 1;
      return route.fulfill(answer);
    });
    await say(page, "kept");
    // The waiting poll began earlier, and ends with this.
    await server.say(room, "ben", "meanwhile");
    await page.locator("#line-text", { hasText: "something between" }).waitFor();
    await until("it was sent three times", () => posts >= 3);
    const seconds = (Date.now() - begun) / 1000;
    assert.ok(polls <= 12 + seconds, `${room}: ${polls} polls in ${seconds} s`);
    await page.locator("#outbox .row.sending").waitFor();
    between = false;
    await sent(page);
    await page.locator("#line").waitFor({ state: "hidden" });
    assert.deepEqual(await server.said(room), ["before", "meanwhile", "kept"]);
  });
  await Promise.all(tried);
});

// Two or three tabs of one room that went offline and online again lost 6 to 13 of 50 messages without a
// word: each read the one shared list, changed it and wrote it back over the others' changes.
for (const [where, host] of [
  ["with Web Locks", "127.0.0.1"],
  ["without, as on plain http", "chat.test"],
]) {
  test(`up to four tabs, at random, with edits, outages, reloads and lost answers, lose nothing (${where})`, async () => {
    const random = randomFrom(newSeed());
    const room = `four-tabs-${host}`;
    const context = await browser(server, { name: "anna", origin: `http://${host}:${server.port}` });
    const html = { contentType: "text/html", body: "<h1>Sign in to the network</h1>" };
    const foreign = [{ status: 200, body: "" }, { status: 204 }, { status: 200, ...html }, { status: 502, ...html }];
    let honest = false;
    let offline = false;
    await context.route(`**/chat/${room}*`, async (route) => {
      const fate = route.request().method() === "POST" && !honest ? random(10) : 9;
      try {
        // The answer is lost, or the request is lost, or something else answers.
        if (fate <= 1) await route.fetch();
        if (fate <= 3) await route.abort();
        else if (fate === 4) await route.fulfill(foreign[random(foreign.length)]);
        else await route.continue();
      } catch {
        // The page has gone meanwhile.
      }
    });
    const slots = [];
    // By what stands before an edit.
    const expected = new Map();
    const goOnline = async (online) => {
      if (online === !offline) return;
      offline = !online;
      await context.setOffline(offline);
    };
    const open = async (slot) => {
      await goOnline(true);
      slot.page = await tab(context, room);
    };
    for (let n = 0; n < 2; n += 1) slots.push({ name: n, said: 0 });
    for (const slot of slots) await open(slot);
    const end = Date.now() + 25_000;
    for (let step = 0; step < 120 && Date.now() < end; step += 1) {
      const slot = slots[random(slots.length)];
      const what = random(20);
      if (what < 14) {
        slot.said += 1;
        const text = `${slot.name}: ${slot.said}`;
        expected.set(text, text);
        await say(slot.page, text);
        if (random(4) > 0) continue;
        // Often it was sent, and no answer has come. Perhaps another tab has said something since.
        await slot.page.locator("#message").press("ArrowUp");
        const [edited] = (await slot.page.locator("#message").inputValue()).split(",");
        if (edited === "") continue;
        expected.set(edited, `${edited}, edited ${step}`);
        await say(slot.page, expected.get(edited));
      } else if (what < 17) await goOnline(offline);
      else if (what === 17) {
        await goOnline(true);
        await slot.page.reload();
        await slot.page.locator("html.ready").waitFor();
      } else if (what === 18 && slots.length < 4) {
        slots.push({ name: slots.length, said: 0 });
        await open(slots.at(-1));
      } else if (what === 19) {
        await slot.page.close();
        await open(slot);
      }
    }
    honest = true;
    await goOnline(true);
    const waiting = async () => {
      const counts = slots.map(({ page }) => page.locator("#outbox .row").count());
      return (await Promise.all(counts)).reduce((a, b) => a + b);
    };
    await until("all is sent", async () => (await waiting()) === 0);
    for (const { page } of slots) await sent(page);
    const said = await server.said(room);
    assert.deepEqual([...said].sort(), [...expected.values()].sort(), "each once");
    for (const { name } of slots) {
      const own = (texts) => texts.filter((text) => text.startsWith(`${name}:`));
      assert.deepEqual(own(said), own([...expected.values()]), "a tab's in its order");
    }
    for (const { page } of slots) {
      // What was said long before a tab was opened is not shown in it.
      const last = async () => JSON.stringify((await shown(page)).slice(-30));
      const right = JSON.stringify(said.slice(-30));
      await until(`the last are shown: ${right}`, async () => (await last()) === right).catch(async (error) => {
        throw new Error(`${error.message}, but ${await last()}`);
      });
      // One tab hears from another what is its own.
      await until("all are one's own", async () => (await page.locator("#log .row.message:not(.own)").count()) === 0);
    }
  });
}

/** Has a page think that so much time has passed. */
const later = (page, minutes) =>
  page.evaluate((minutes) => {
    const { now } = Date;
    Date.now = () => now() + minutes * 60_000;
  }, minutes);

// With the server away for ten minutes, the first of three waiting messages failed ("may have gone out, or
// not"), and the others were sent before it.
test("messages that wait eleven minutes for a server are sent in their order", async () => {
  const mortal = await Server.start();
  const context = await browser(mortal, { name: "anna" });
  const page = await tab(context, "eleven");
  await say(page, "before");
  await sent(page);
  await mortal.kill();
  const lost = context.waitForEvent("requestfailed", (request) => request.method() === "POST");
  for (const text of ["one", "two", "three"]) await say(page, text);
  await lost;
  await later(page, 11);
  await mortal.restart();
  await showing(page, ["before", "one", "two", "three"]);
  await sent(page);
  assert.deepEqual(await mortal.said("eleven"), ["before", "one", "two", "three"]);
  await mortal.end();
});

test("after eleven minutes the page asks only about messages that the room has already", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "asked");
  let lose = "answer";
  let tries = 0;
  await context.route("**/chat/asked*", async (route) => {
    if (route.request().method() !== "POST" || lose === null) return route.continue();
    tries += 1;
    if (lose === "answer") await route.fetch();
    await route.abort();
  });
  await say(page, "received");
  await until("it was tried", () => tries > 0);
  lose = "request";
  const before = tries;
  await say(page, "waiting");
  // The next try is half a second later at least.
  await until("it was tried again", () => tries > before);
  await later(page, 11);
  lose = null;
  await page.locator(".failure").getByText("It may have gone out, or not.").waitFor();
  await until("the other went out", async () => (await server.said("asked")).length === 2);
  await page.getByRole("button", { name: "Discard" }).click();
  await sent(page);
  assert.deepEqual(await server.said("asked"), ["received", "waiting"]);
});

test("messages that an earlier page left in its list are sent", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await context.newPage();
  await page.goto(`${server.origin}/help`);
  await page.evaluate(() => {
    const entry = { id: "0123", text: "left", name: "anna", at: new Date().toISOString(), state: "sending", tried: null };
    localStorage.setItem("comet-chat/outbox/earlier", JSON.stringify([entry]));
  });
  const next = await tab(context, "earlier");
  await showing(next, ["left"]);
  await sent(next);
  assert.deepEqual(await server.said("earlier"), ["left"]);
});
