// Behind nginx under a prefix, which nginx takes off or passes on.

import assert from "node:assert/strict";

import { browser, say, sent, showing, test, until } from "./browser.js";
import { freePort, nginx } from "./nginx.js";
import { Server } from "./server.js";

/** What nginx does with the prefix. A path after `proxy_pass` stands in its place. */
const WAYS = { "takes off": "/", "passes on": "" };

const settings = `
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_buffering off;
  proxy_read_timeout 75s;`;

/** A server, nginx before it, and where browsers find it. */
async function behind(slash) {
  const port = await freePort();
  const origin = `http://chat.test:${port}`;
  const server = await Server.start({ store: "memory:", options: ["--public-url", `${origin}/talk`] });
  const end = await nginx(port, `location /talk/ { proxy_pass ${server.direct}${slash}; ${settings} }`);
  return { server, end, origin };
}

for (const [way, slash] of Object.entries(WAYS)) {
  test(`the page works under a prefix that nginx ${way}`, async () => {
    const { server, end, origin } = await behind(slash);
    const context = await browser(server, { origin, viewport: { width: 1200, height: 700 } });
    const asked = [];
    context.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const page = await context.newPage();
    await page.goto(`${origin}/talk/`);
    await page.waitForURL("**/talk/chat/lobby");
    await page.locator("html.running").waitFor();
    await page.locator("#name").fill("anna");
    await page.locator("#name").press("Enter");
    await say(page, "under a prefix");
    await sent(page);
    assert.deepEqual(await server.said("lobby"), ["under a prefix"]);
    await server.say("lobby", "ben", "it comes at once");
    await showing(page, ["under a prefix", "it comes at once"]);

    await page.locator("#share-button").click();
    assert.equal(await page.locator("#address").inputValue(), `${origin}/talk/chat/lobby`);
    await until("the code is an image", () =>
      page.locator("#qr").evaluate((image) => image.complete && image.naturalWidth > 0),
    );
    await page.keyboard.press("Escape");
    await page.locator("#new-room-name").fill("hobby");
    await page.locator("#new-room-name").press("Enter");
    await page.waitForURL("**/talk/chat/hobby");
    await page.locator("html.running").waitFor();
    await page.locator("#room-list a", { hasText: "lobby" }).click();
    await page.waitForURL("**/talk/chat/lobby");
    await showing(page, ["under a prefix", "it comes at once"]);
    // Another server of this site, under another prefix, keeps its own.
    const kept = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("comet-chat/")));
    assert.ok(kept.length > 0 && kept.every((key) => key.startsWith("comet-chat/talk/")), kept.join());
    const astray = asked.filter((path) => !path.startsWith("/talk/"));
    assert.deepEqual(astray, [], "every request has the prefix");
    await end();
  });

  test(`without scripts the page works under a prefix that nginx ${way}`, async () => {
    const { server, end, origin } = await behind(slash);
    const context = await browser(server, { origin, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${origin}/talk/chat/plain`);
    await page.locator("#name").fill("anna");
    await page.locator("#message").fill("by a form");
    await page.locator("#send").click();
    await page.waitForURL("**/talk/chat/plain?name=anna");
    await showing(page, ["by a form"], () => page.frameLocator("iframe").locator(".row.message .text").allTextContents());
    await end();
  });
}
