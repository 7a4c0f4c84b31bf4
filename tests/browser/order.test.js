// A topic, order in the room by its operator, and private rooms.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FOR_AXE, violations } from "./axe.js";
import { browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const TOKEN = "operator-0123456789";
const directory = mkdtempSync(join(tmpdir(), "comet-chat-operators-"));
const operators = join(directory, "operators");
writeFileSync(operators, `${TOKEN} *\n`, { mode: 0o600 });
process.on("exit", () => rmSync(directory, { recursive: true }));
const server = await Server.start({ store: "memory:", options: ["--operators-file", operators] });

/** A person, and an operator whom this browser knows already. */
async function two(room, options = {}) {
  const bob = await tab(await browser(server, { name: "bob", ...options }), room);
  const context = await browser(server, { name: "anna", ...FOR_AXE });
  const anna = await tab(context, room);
  await anna.evaluate((token) => localStorage.setItem("comet-chat/operator", JSON.stringify(token)), TOKEN);
  await anna.reload();
  await anna.locator("#order.operates").waitFor({ state: "attached" });
  return [anna, bob];
}

const people = async (page) => {
  const button = page.locator("#people-button");
  if (await button.isVisible() && !(await page.locator("#people-list").isVisible())) await button.click();
};

/** Opens what can be done with somebody. */
async function choose(page, name, what) {
  await people(page);
  await page.getByRole("button", { name: `What to do with ${name}` }).click();
  await page.getByRole("button", { name: `${what} ${name}`, exact: true }).click();
}

const rule = (page, words) => page.locator(".row.rule", { hasText: words }).last().waitFor();

test("a topic stands in the head for both, also without scripts, and is a line in the log", async () => {
  const [anna, bob] = await two("topic");
  await people(bob);
  await bob.locator("#topic-set").click();
  await bob.locator("#text-field").fill("x".repeat(150) + " tea at four");
  await bob.locator("#text-field").press("Enter");
  for (const page of [anna, bob]) {
    await rule(page, "bob set the topic: xxx");
    assert.match(await page.locator("#topic").textContent(), /tea at four$/);
    const { height, width } = await page.locator("#topic").evaluate((node) => node.getBoundingClientRect());
    assert.ok(height < 30 && width < 900, "it is cut to one line");
  }
  await anna.keyboard.press("Escape");
  await anna.locator("#topic").focus();
  await anna.keyboard.press("Enter");
  assert.match(await anna.locator("#text-field").inputValue(), /tea at four$/, "all of it is read there");
  assert.deepEqual(await violations(anna), []);
  await anna.locator("#text-field").fill("");
  await anna.keyboard.press("Enter");
  await rule(bob, "anna took the topic away");
  assert.equal(await bob.locator("#topic").isVisible(), false);
  const plain = await fetch(`${server.direct}/chat/topic`, { headers: { Accept: "text/html" } });
  assert.match(await plain.text(), /anna took the topic away/);
});

test("who is muted reads on, and is allowed again; the operator edits and deletes what others said", async () => {
  const [anna, bob] = await two("mute");
  await say(bob, "buy my things");
  await showing(anna, ["buy my things"]);
  await choose(anna, "bob", "Mute");
  for (const page of [anna, bob]) await rule(page, "The operator muted bob for 10 min");
  await anna.keyboard.press("Escape");
  await say(bob, "more things");
  await bob.getByText("You are muted in this room: you can read on.").first().waitFor();
  // The network is cut while the operator changes what he said.
  await bob.context().setOffline(true);
  await anna.locator("#log").focus();
  await anna.keyboard.press("ArrowUp");
  await anna.keyboard.press("e");
  assert.match(await anna.locator("#subject-what").textContent(), /Edit the message of bob/);
  // A reload does not forget it.
  await anna.locator("#message").fill("no advertisements");
  await anna.reload();
  await until("the edit is there again", async () => (await anna.locator("#message").inputValue()) === "no advertisements");
  await anna.locator("#order.operates").waitFor({ state: "attached" });
  await anna.locator("#message").press("Enter");
  await showing(anna, ["no advertisements"]);
  await bob.context().setOffline(false);
  await bob.getByText("edited by the operator").waitFor();
  await people(anna);
  assert.deepEqual(await violations(anna), []);
  await anna.getByRole("button", { name: "Allow bob everything again" }).click();
  await rule(bob, "The operator lets bob do everything again");
  await bob.getByRole("button", { name: "Try again" }).click();
  await showing(anna, ["no advertisements", "more things"]);
});

test("who is removed sees why, and asks the server for nothing more", async () => {
  const [anna, bob] = await two("remove", { ...FOR_AXE, viewport: { width: 320, height: 568 }, locale: "en-US" });
  await say(bob, "hello");
  await showing(anna, ["hello"]);
  await choose(anna, "bob", "Remove");
  await bob.getByText("You were removed from this room.").waitFor();
  assert.deepEqual(await violations(bob), []);
  assert.equal(await bob.locator("#composer").isVisible() || await bob.locator("#log").isVisible(), false);
  const asked = [];
  bob.on("request", (request) => asked.push(request.url()));
  await say(anna, "he is gone");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.deepEqual(asked.filter((url) => url.includes("/chat/remove?")), []);
  await anna.getByRole("button", { name: "Allow bob everything again" }).click();
  await rule(anna, "lets bob");
  await bob.locator("#removed-again").click();
  await showing(bob, ["hello", "he is gone"]);
});

test("slow mode holds a message until it may go, and a lock shows its notice in the place of the form", async () => {
  const [anna, bob] = await two("lock", FOR_AXE);
  await people(anna);
  await anna.locator("#slow-choice").selectOption("3600");
  await bob.getByText("Slow mode: one message in 1 hr").waitFor();
  await anna.locator("#slow-choice").selectOption("10");
  await bob.getByText("Slow mode: one message in 10 sec").waitFor();
  await say(bob, "one");
  await sent(bob);
  await say(bob, "two");
  await bob.getByText(/Slow mode: it is sent in \d+ s/).waitFor();
  await anna.locator("#slow-choice").selectOption("0");
  await rule(bob, "Slow mode has ended");
  await showing(anna, ["one", "two"]);
  await anna.locator("#lock-button").click();
  await anna.locator("#text-field").fill("Back at ten");
  await anna.locator("#text-yes").click();
  await bob.getByText("This room is locked. Back at ten").waitFor();
  assert.equal(await bob.locator("#message").isVisible(), false);
  assert.deepEqual(await violations(bob), []);
  await anna.keyboard.press("Escape");
  await say(anna, "I may speak");
  await showing(bob, ["one", "two", "I may speak"]);
  await bob.reload();
  await bob.getByText("This room is locked. Back at ten").waitFor();
  await people(anna);
  await anna.locator("#lock-button").click();
  await bob.locator("#message").waitFor();
  // What was written does not wait for the form.
  await say(bob, "thanks");
  await showing(anna, ["one", "two", "I may speak", "thanks"]);
});

test("a token is asked for, tried before it is kept, and dropped again", async () => {
  const cem = await tab(await browser(server, { name: "cem", ...FOR_AXE }), "token");
  await people(cem);
  await cem.getByRole("button", { name: "I am the operator" }).click();
  await cem.locator("#text-field").fill("operator-9876543210");
  await cem.locator("#text-yes").click();
  await cem.getByText("This is no token of an operator of this room.").waitFor();
  assert.deepEqual(await violations(cem), []);
  const kept = () => cem.evaluate(() => localStorage.getItem("comet-chat/operator"));
  assert.equal(await kept(), null);
  await cem.locator("#text-field").fill(TOKEN);
  await cem.locator("#text-yes").click();
  await cem.locator("#order.operates").waitFor({ state: "attached" });
  await people(cem);
  assert.equal(await kept(), JSON.stringify(TOKEN));
  assert.deepEqual(await violations(cem), []);
  // On a small screen, in the reader's own colours, from right to left, and by keyboard alone.
  await cem.setViewportSize({ width: 320, height: 568 });
  await cem.emulateMedia({ forcedColors: "active" });
  await people(cem);
  for (const direction of ["rtl", "ltr"]) {
    await cem.evaluate((direction) => (document.documentElement.dir = direction), direction);
    const boxes = await cem.locator("#order *").evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect()).map(({ left, right }) => [left, right]));
    assert.ok(boxes.every(([left, right]) => left >= 0 && right <= 320), JSON.stringify(boxes));
  }
  await cem.locator("#lock-button").focus();
  await cem.keyboard.press("Enter");
  await cem.keyboard.type("closed");
  await cem.keyboard.press("Enter");
  await rule(cem, "The operator locked the room: closed");
  await people(cem);
  await cem.locator("#lock-button").focus();
  await cem.keyboard.press("Enter");
  await rule(cem, "The operator unlocked the room");
  await cem.getByRole("button", { name: "Be the operator no more" }).click();
  await cem.locator("#order:not(.operates)").waitFor();
  assert.equal(await kept(), null);
});

test("a private room is made with a topic, shared, and called by it", async () => {
  const dora = await tab(await browser(server, { name: "dora", ...FOR_AXE }), "start");
  const button = dora.locator("#rooms-button");
  if (await button.isVisible()) await button.click();
  await dora.locator("#private-button").click();
  await dora.locator("#text-field").fill("Surprise for Emil");
  await dora.locator("#text-yes").click();
  await dora.waitForURL(/\/chat\/private-[a-z2-7]{26}$/);
  await dora.locator("#share[open]").waitFor();
  assert.equal(await dora.locator("h1").textContent(), "Surprise for Emil");
  assert.equal(await dora.title(), "Surprise for Emil · comet-chat");
  const name = new URL(dora.url()).pathname.split("/").at(-1);
  assert.deepEqual(await violations(dora), []);
  const fred = await tab(await browser(server, { name: "fred" }), name);
  await dora.keyboard.press("Escape");
  await say(dora, "cake at noon");
  await showing(fred, ["cake at noon"]);
  for (const page of [dora, fred]) {
    const seen = await page.evaluate(() => document.body.innerText);
    assert.ok(seen.includes("Surprise for Emil") && !seen.includes(name), "the name is nowhere to be read");
    const labels = await page.evaluate(() => [...document.querySelectorAll("[aria-label], [title]")].map((node) => `${node.ariaLabel} ${node.title}`).join());
    assert.ok(!labels.includes(name));
  }
  // A new topic is what the room is called from then on, everywhere, as soon as it is heard.
  await dora.context().setOffline(true);
  await dora.locator("#share-button").click();
  await people(fred);
  await fred.locator("#topic-set").click();
  await fred.locator("#text-field").fill("Cake for Emil");
  await fred.locator("#text-field").press("Enter");
  await rule(fred, "fred set the topic: Cake for Emil");
  await say(fred, "no surprise any more");
  await dora.context().setOffline(false);
  await showing(dora, ["cake at noon", "no surprise any more"]);
  for (const page of [dora, fred]) {
    await until("it is called so", async () => (await page.title()).endsWith("Cake for Emil · comet-chat"));
    for (const place of ["h1", "#share-room", `#room-list [data-room="${name}"] b`]) assert.equal(await page.locator(place).textContent(), "Cake for Emil");
  }
});
