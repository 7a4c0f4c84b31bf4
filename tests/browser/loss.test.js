// What is written goes out, once, whatever happens to the line or the server.

import assert from "node:assert/strict";

import { browser, say, sent, showing, shown, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => `message ${from + n}`);

test("a server that is killed and started again while one writes loses nothing and doubles nothing", async () => {
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
  await page.locator("#line").waitFor({ state: "hidden", timeout: 20_000 });
  await showing(page, ["before", "during"]);
  await sent(page);
  assert.deepEqual(await mortal.said("away"), ["before", "during"]);
  await mortal.end();
});

test("offline one writes on, and it goes out in its order when the network is back", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "offline");
  await say(page, "before");
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

test("what was written offline in a tab that closed goes out from the next one", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "closed");
  await context.route("**/chat/closed", (route) =>
    route.request().method() === "POST" ? route.abort() : route.continue(),
  );
  await say(page, "kept");
  await page.locator("#outbox .row.sending").waitFor();
  await page.close();
  await context.unroute("**/chat/closed");
  const next = await tab(context, "closed");
  await showing(next, ["kept"]);
  await sent(next);
  assert.deepEqual(await server.said("closed"), ["kept"]);
});

test("an answer that is lost on the way does not double the message", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "answer");
  let lost = 0;
  await context.route("**/chat/answer", async (route) => {
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

test("a tab that waits for its answer does not hold up another for long", async () => {
  const context = await browser(server, { name: "anna" });
  const first = await tab(context, "slow");
  const second = await tab(context, "swift");
  let held;
  await context.route("**/chat/slow", (route) => {
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

test("what the server refuses is shown as failed, with its reason, and goes out when tried again", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "refused");
  const ids = [];
  let refuse = true;
  await context.route("**/chat/refused", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    ids.push(route.request().postDataJSON().id);
    if (!refuse) return route.continue();
    return route.fulfill({
      status: 413,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "urn:comet-chat:message-too-large", detail: "That was too much." }),
    });
  });
  await say(page, "again");
  await page.getByText("That was too much.").waitFor();
  await say(page, "other");
  await page.getByText("That was too much.").nth(1).waitFor();
  refuse = false;
  await page.getByRole("button", { name: "Discard" }).nth(1).click();
  await page.getByRole("button", { name: "Try again" }).click();
  await showing(page, ["again"]);
  await sent(page);
  assert.deepEqual(await server.said("refused"), ["again"]);
  assert.equal(ids.at(-1), ids[0], "under the id that it had");
});

test("a server that is full is asked again when it says so", async () => {
  const context = await browser(server, { name: "anna" });
  let refused = 0;
  await context.route(/chat\/full/, (route) => {
    const isPage = route.request().resourceType() === "document";
    if (isPage || refused >= 3) return route.continue();
    refused += 1;
    return route.fulfill({ status: 503, headers: { "Retry-After": "1" }, body: "full" });
  });
  const page = await tab(context, "full");
  await page.locator("#line-text", { hasText: "Reconnecting" }).waitFor();
  await say(page, "patience");
  await showing(page, ["patience"]);
  await page.locator("#line").waitFor({ state: "hidden" });
  assert.deepEqual(await server.said("full"), ["patience"]);
});

test("what is no longer kept is shown as a line where it was", async () => {
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

// An empty 200, as some proxies answer, once let a tab poll 430 times a second, and took a message from the
// outbox that nobody had received; a portal's refusal in HTML failed it.
test("an answer that is not the server's own takes no message and hurries no poll, and the page says so", async () => {
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
    // The poll that waits was begun before, and ends with this.
    await server.say(room, "ben", "meanwhile");
    await page.locator("#line-text", { hasText: "something between" }).waitFor();
    await until("it was sent three times", () => posts >= 3);
    assert.ok(polls <= 12, `${room}: ${polls} polls`);
    await page.locator("#outbox .row.sending").waitFor();
    between = false;
    await sent(page);
    await page.locator("#line").waitFor({ state: "hidden", timeout: 20_000 });
    assert.deepEqual(await server.said(room), ["before", "meanwhile", "kept"]);
  });
  await Promise.all(tried);
});
