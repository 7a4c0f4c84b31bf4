// A name belongs to the browser that holds it, until it leaves.

import assert from "node:assert/strict";

import { browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

const error = (page) => page.locator("#message-error").textContent();

/** Waits until the page asks for another name, and says why. */
const isRefused = (page, name) =>
  until(`the page says that ${name} is taken`, async () => {
    const asks = await page.locator("#name-row").isVisible();
    return asks && (await error(page)) === `${name} is taken here; choose another`;
  });

test("a name that is taken is refused, and nothing that was written is lost", async () => {
  const room = "taken";
  const anna = await tab(await browser(server, { name: "Anna" }), room);
  await say(anna, "I am Anna");
  await sent(anna);
  const other = await tab(await browser(server, { name: "anna" }), room);
  await isRefused(other, "anna");
  // It goes on reading without a name.
  await say(anna, "and nobody else is");
  await showing(other, ["I am Anna", "and nobody else is"]);

  // Under the same name it is refused again, and the message waits.
  await other.locator("#message").fill("so am I");
  await other.locator("#name").fill("Anna");
  await other.locator("#message").press("Enter");
  await isRefused(other, "Anna");
  await other.locator("#outbox .row").getByText("Anna is taken here").waitFor();
  await other.locator("#message").fill("in the middle of");
  assert.equal(await error(other), "Anna is taken here; choose another", "what is typed does not hide it");

  await other.locator("#name").fill("Anne");
  await other.locator("#name").press("Enter");
  await sent(other);
  assert.equal(await other.locator("#message").inputValue(), "in the middle of");
  assert.equal(await error(other), "");
  await showing(anna, ["I am Anna", "and nobody else is", "so am I"]);
  const said = (await server.all(room)).filter(({ kind }) => kind === "message");
  assert.deepEqual(
    said.map(({ name }) => name),
    ["Anna", "Anna", "Anne"],
  );
});

test("a name is free again when its holder has left", async () => {
  const room = "free-again";
  const anna = await tab(await browser(server, { name: "Anna" }), room);
  await say(anna, "hello");
  await sent(anna);
  const other = await tab(await browser(server, { name: "Anna" }), room);
  await isRefused(other, "Anna");
  await anna.close();
  await until("Anna has left", async () => (await server.all(room)).some(({ kind }) => kind === "left"));
  await other.locator("#name").press("Enter");
  await say(other, "now I am");
  await sent(other);
  assert.deepEqual((await server.all(room)).at(-1).name, "Anna");
  await until("the page goes by the name", async () => (await other.locator("#name-row").isVisible()) === false);
});

test("all tabs of a browser have one key, over a reload and a restart of the server", async () => {
  const own = await Server.start();
  const context = await browser(own, { name: "Anna" });
  const [one, other] = [await tab(context, "tabs"), await tab(context, "tabs")];
  await say(one, "first");
  await sent(one);
  await say(other, "second");
  await sent(other);
  await own.kill();
  await own.restart();
  await one.reload();
  await one.locator("html.ready").waitFor();
  await say(one, "third");
  await sent(one);
  await say(other, "fourth");
  await sent(other);
  assert.equal(await one.locator("#name-row").isVisible(), false);
  assert.deepEqual(await own.said("tabs"), ["first", "second", "third", "fourth"]);
  // It stands in no address.
  const key = await one.evaluate(() => JSON.parse(localStorage.getItem("comet-chat/key")));
  assert.match(key, /^[0-9a-f]{32}$/);
  const addresses = await one.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  assert.ok(addresses.length > 0 && !addresses.some((address) => address.includes(key)));
});

test("a name that is taken in one room is not in another", async () => {
  const anna = await tab(await browser(server, { name: "Anna" }), "one-room");
  await say(anna, "mine");
  await sent(anna);
  const context = await browser(server, { name: "Anna" });
  const [there, here] = [await tab(context, "another-room"), await tab(context, "one-room")];
  await isRefused(here, "Anna");
  await until("Anna is in the other room", async () =>
    (await server.all("another-room")).some(({ kind, name }) => kind === "joined" && name === "Anna"),
  );
  await say(there, "mine too");
  await sent(there);
  await say(anna, "and here");
  await showing(here, ["mine", "and here"]);
});
