// A chat with a passphrase: logging in, inviting, and a session that ends while a page is open.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { FOR_AXE, violations } from "./axe.js";
import { PHONE, browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const PASSPHRASE = "open sesame, please";

const directory = mkdtempSync(join(tmpdir(), "comet-chat-secret-"));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, "passphrase");
write(PASSPHRASE);
const server = await Server.start({ store: "memory:", options: ["--passphrase-file", file] });
use(PASSPHRASE);

function write(passphrase) {
  writeFileSync(file, `${passphrase}\n`, { mode: 0o600 });
}

/** Has the tests themselves come in by it. */
function use(passphrase) {
  server.headers = { Authorization: `Basic ${btoa(`:${passphrase}`)}` };
}

async function logIn(page, passphrase) {
  await page.locator("#passphrase").fill(passphrase);
  await page.locator("#passphrase").press("Enter");
}

async function open(context, path, ready = "#passphrase") {
  const page = await context.newPage();
  await page.goto(server.origin + path);
  await page.locator(ready).waitFor();
  return page;
}

/** A browser that is in, with a tab in this room. */
async function inside(room, name) {
  const context = await browser(server, { name });
  const page = await open(context, `/chat/${room}`);
  await logIn(page, PASSPHRASE);
  await page.locator("html.ready").waitFor();
  return page;
}

test("a reader logs in, is told of a wrong try, and goes on to the room", async () => {
  const context = await browser(server, { name: "anna", ...PHONE });
  const page = await open(context, "/chat/talk?name=anna");
  await until("it has the focus", () => page.evaluate(() => document.activeElement.id === "passphrase"));
  await logIn(page, "open barley");
  await page.getByRole("alert").getByText("This is not the passphrase").waitFor();
  await logIn(page, PASSPHRASE);
  await page.locator("html.ready").waitFor();
  assert.equal(page.url(), `${server.origin}/chat/talk?name=anna`);
  await say(page, "I am in");
  await sent(page);
  // Another tab, and another day, ask for nothing.
  await tab(context, "talk");
  assert.deepEqual(await context.cookies().then((all) => all.map(({ httpOnly, sameSite }) => [httpOnly, sameSite])), [
    [true, "Lax"],
  ]);
});

test("axe finds nothing serious in the page that asks who comes in, also after a wrong try", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(await browser(server, { ...FOR_AXE, colorScheme }), "/chat/talk");
    assert.deepEqual(await violations(page), [], colorScheme);
    await logIn(page, "open barley");
    await page.getByRole("alert").waitFor();
    assert.deepEqual(await violations(page), [], `${colorScheme}, after a wrong try`);
  }
});

test("without scripts one logs in and chats as well", async () => {
  const context = await browser(server, { javaScriptEnabled: false });
  const page = await open(context, "/chat/plain");
  await logIn(page, PASSPHRASE);
  await page.locator("#name").fill("ben");
  await page.locator("#message").fill("hello");
  await page.locator("#send").click();
  await until("it is said", async () => (await server.said("plain")).includes("hello"));
  await page.frameLocator("iframe").locator(".text", { hasText: "hello" }).waitFor();
});

test("an invite lets another browser in, and is gone from its address", async () => {
  const host = await inside("party", "anna");
  await host.locator("#share-button").click();
  const address = host.locator("#address");
  await until("there is an invite", async () => (await address.inputValue()).includes("?invite="));
  await until("there is a code", () =>
    host.locator("#qr").evaluate((image) => image.complete && image.naturalWidth > 0),
  );
  const guest = await (await browser(server, { name: "guest", ...PHONE })).newPage();
  await guest.goto(await address.inputValue());
  await guest.locator("html.ready").waitFor();
  assert.equal(new URL(guest.url()).search, "");
  await say(guest, "thank you");
  await showing(host, ["thank you"]);
  // A stranger who has only the room's address is asked.
  await open(await browser(server), "/chat/party");
});

// The page threw away what was being sent: to it, a refusal was the message's own fault.
test("a session that ends takes nothing with it", async () => {
  const page = await inside("work", "anna");
  await say(page, "before");
  await sent(page);
  write("another one");
  await server.reload();
  use("another one");
  await say(page, "meanwhile");
  await page.locator("#message").fill("half a thought");
  const login = page.locator("#line-login");
  await login.waitFor({ state: "visible" });
  assert.deepEqual(await server.said("work"), ["before"]);
  await login.click();
  await page.locator("#passphrase").waitFor();
  await logIn(page, "another one");
  await page.locator("html.ready").waitFor();
  await showing(page, ["before", "meanwhile"]);
  await sent(page);
  assert.equal(await page.locator("#message").inputValue(), "half a thought");
  assert.deepEqual(await server.said("work"), ["before", "meanwhile"]);
});
