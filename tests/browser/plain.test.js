// Without JavaScript the page still chats.

import assert from "node:assert/strict";

import { PHONE, browser, showing, test, until } from "./browser.js";
import { PAYLOADS } from "./payloads.js";
import { Server } from "./server.js";

const server = await Server.common();

async function open(room, { origin = server.origin, ...options } = {}) {
  const context = await browser(server, { origin, ...options, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${origin}/chat/${room}`);
  return page;
}

const texts = (page) => page.frameLocator("iframe").locator(".row.message .text");

const listing = (page, expected) => showing(page, expected, (page) => texts(page).allTextContents());

test("a form publishes, and a page that reloads shows what is new", async () => {
  await server.say("plain", "ben", "hello");
  const page = await open("plain");
  await listing(page, ["hello"]);
  await page.locator("#name").fill("anna & co");
  await page.locator("#message").fill("no script\nhere");
  await page.locator("#send").click();
  await page.waitForURL("**/chat/plain?name=*");
  assert.equal(await page.locator("#name").inputValue(), "anna & co", "the name is kept");
  await listing(page, ["hello", "no script\nhere"]);
  await page.locator("#message").fill("half a thought");
  await server.say("plain", "ben", "hello again");
  // The list reloads itself.
  await listing(page, ["hello", "no script\nhere", "hello again"]);
  assert.equal(await page.locator("#message").inputValue(), "half a thought", "and one writes on meanwhile");
  assert.equal(
    await page.getByRole("button", { name: "Share this room" }).count(),
    0,
    "nothing dead is shown",
  );
});

// Over plain HTTP a browser sends only `Origin`, and hides even that if a page wants no referrer sent: the
// form of such a page was refused as if it came from another site.
test("the form publishes over plain HTTP, from this site and from no other", async () => {
  const page = await open("plain-http", { origin: `http://chat.test:${server.port}` });
  await page.locator("#name").fill("anna");
  await page.locator("#message").fill("hello");
  await page.locator("#send").click();
  await page.waitForURL("**/chat/plain-http?name=*");
  await listing(page, ["hello"]);

  await page.route("**/elsewhere", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<form method="post" action="http://chat.test:${server.port}/chat/plain-http">
        <input name="message" value="buy"><button>Win</button></form>`,
    }),
  );
  await page.goto(`${server.origin}/elsewhere`);
  const [reply] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    page.locator("button").click(),
  ]);
  assert.equal(reply.status(), 403);
});

test("the newest message is in view, and scripts stay text", async () => {
  for (const payload of PAYLOADS.slice(0, 45))
    await server.say("plain-xss", "<script>alert(1)</script>", payload);
  const page = await open("plain-xss", PHONE);
  await listing(page, PAYLOADS.slice(0, 45));
  await until("the last is in view", async () => {
    const box = await texts(page).last().boundingBox();
    return box && box.y > 0 && box.y + box.height < 844;
  });
});

// Two clicks on Send, on a slow line, published a message twice.
test("two clicks on Send say it once, and the next message is another", async () => {
  const page = await open("twice");
  let posts = 0;
  await page.route("**/chat/twice", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    posts += 1;
    // The first has arrived when the second is sent, and its answer is still on the way.
    const response = await route.fetch({ maxRedirects: 0 });
    if (posts % 2 === 0) await route.fulfill({ response });
  });
  await page.locator("#name").fill("anna");
  for (const text of ["one", "one", "two"]) {
    const before = posts;
    await page.locator("#message").fill(text);
    // When everything has its final place.
    await page.waitForLoadState("load");
    // Moves the mouse itself, which waits for no answer.
    const { x, y } = await page.locator("#send").boundingBox();
    for (const click of [1, 2]) {
      await page.mouse.click(x + 10, y + 10);
      await until("it is sent", () => posts === before + click);
    }
    await page.locator("#message:placeholder-shown").waitFor();
  }
  assert.deepEqual(await server.said("twice"), ["one", "one", "two"]);
});
