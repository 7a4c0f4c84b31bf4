// The name that a proxy tells: the page has it, and offers no other.

import assert from "node:assert/strict";

import { browser, say, sent, tab, test } from "./browser.js";
import { Server } from "./server.js";

test("who is signed in at a proxy has that name, whatever the browser has kept", async () => {
  const options = ["--trust-header", "Remote-User", "--trusted-proxy", "127.0.0.1"];
  const server = await Server.start({ store: "memory:", options });
  const page = await tab(await browser(server, { name: "zaphod", extraHTTPHeaders: { "Remote-User": "anna" } }), "told");
  const me = page.locator("#me");
  assert.equal(await me.getAttribute("aria-label"), "You are anna");
  assert.ok(await me.isDisabled());
  assert.ok(await page.locator("#name-row").isHidden());
  await say(page, "hello");
  await sent(page);
  await page.locator("#people-list li").getByText("anna", { exact: true }).waitFor({ state: "attached" });
  const reply = await fetch(`${server.direct}/chat/told?last=1&kinds=message&wait=0`, {
    headers: { Accept: "application/json", "Remote-User": "ben" },
  });
  const { messages } = await reply.json();
  assert.deepEqual(messages.map(({ name, text }) => [name, text]), [["anna", "hello"]]);
});
