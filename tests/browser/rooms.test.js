// From room to room, and invitations.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";

import { PHONE, browser, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

test("rooms that were read show how many messages came since, the others only their names", async () => {
  const context = await browser(server, { ...PHONE, name: "anna" });
  await server.say("hobby", "ben", "one");
  await server.say("strange", "ben", "one");
  const hobby = await tab(context, "hobby");
  await showing(hobby, ["one"]);
  await hobby.close();
  for (const text of ["two", "three", "four"]) await server.say("hobby", "ben", text);
  const page = await tab(context, "work");
  await until("the badge", async () => (await page.locator("#rooms-badge").textContent()) === "3");
  await page.getByRole("button", { name: "Rooms: 3 unread" }).tap();
  const row = (name) => page.locator("#room-list a", { has: page.getByText(name, { exact: true }) });
  assert.equal(await row("hobby").locator(".badge").textContent(), "3");
  assert.equal(await row("strange").locator(".badge").count(), 0);
  assert.equal(await row("work").getAttribute("aria-current"), "page");
  await row("hobby").tap();
  await page.waitForURL("**/chat/hobby");
  await showing(page, ["one", "two", "three", "four"]);
  assert.match(await page.locator("#marker + .row .text").textContent(), /two/);
});

test("a new room opens by its name, in any script", async () => {
  const page = await tab(await browser(server, { viewport: { width: 1200, height: 700 } }), "lobby");
  const name = page.locator("#new-room-name");
  await name.fill("no <b>room</b>");
  await name.press("Enter");
  await page.getByText("1 to 64 letters").waitFor();
  await name.fill("#комната отдыха");
  await name.press("Enter");
  await page.waitForURL(`**/chat/${encodeURIComponent("комната-отдыха")}`);
  assert.equal(await page.locator("h1").textContent(), "комната-отдыха");
  await page.getByText("Nothing has been said here yet").waitFor();
});

test("a room is shared by its address and its code", async () => {
  const context = await browser(server, { permissions: ["clipboard-read", "clipboard-write"] });
  const page = await tab(context, "größe");
  await page.getByRole("button", { name: "Share this room", exact: true }).click();
  const code = page.locator("#qr");
  await until("the code is an image", () =>
    code.evaluate((image) => image.complete && image.naturalWidth > 0),
  );
  const address = await page.locator("#address").inputValue();
  assert.match(address, /^http:\/\/[^/]+\/chat\/gr%C3%B6%C3%9Fe$/);
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
  await page.keyboard.press("Escape");
  await page.locator("#share").waitFor({ state: "hidden" });
});

/** A proxy before the server, which passes on `Host` without the port, as `proxy_set_header Host $host` does. */
async function proxy() {
  const between = createServer((incoming, reply) => {
    const { method, url, headers } = incoming;
    const host = headers.host.split(":")[0];
    const onward = request(server.origin + url, { method, headers: { ...headers, host } }, (answer) => {
      reply.writeHead(answer.statusCode, answer.headers);
      answer.pipe(reply);
    });
    onward.on("error", () => reply.destroy());
    reply.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise((resolve) => between.listen(0, "127.0.0.1", resolve));
  between.unref();
  return between;
}

// Behind a proxy with TLS the page shared `http://` and no port: an address that leads nowhere.
test("behind a proxy a room is shared by the address that the browser sees", async () => {
  const between = await proxy();
  const origin = `http://chat.test:${between.address().port}`;
  const page = await tab(await browser(server, { origin }), "shared");
  await page.locator("#share-button").click();
  assert.equal(await page.locator("#address").inputValue(), `${origin}/chat/shared`);
  const code = await page.locator("#qr").evaluate(async (image) => (await fetch(image.src)).text());
  const right = await fetch(`${server.origin}/chat/shared/qr`);
  assert.match(code, /<svg/);
  assert.notEqual(code, await right.text());
  await page.close();
  between.closeAllConnections();
  between.close();
});
