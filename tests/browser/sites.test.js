// Pages of other sites, and what one address may take.

import assert from "node:assert/strict";
import { createServer } from "node:http";

import { browser, say, sent, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

/** What a page gets that may not read. */
const NOTHING = "nothing";

/** An empty page, under every name of this machine: each is a site of its own. */
async function elsewhere() {
  const site = createServer((_request, reply) => reply.setHeader("Content-Type", "text/html").end("<p>elsewhere"));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  // If a test fails, it does not keep the others waiting.
  site.unref();
  return site;
}

/** What a page can do with the room: whether it may speak, and what it gets to read. */
function tried(page, room) {
  return page.evaluate(async ([room, NOTHING]) => {
    const answer = async (options) => {
      try {
        const reply = await fetch(`${room}?after=oldest&wait=0`, options);
        return `${reply.status} ${reply.headers.get("Chat-Cursor") !== null}`;
      } catch {
        return NOTHING;
      }
    };
    const post = (type, body) => answer({ method: "POST", headers: { "Content-Type": type }, body });
    const heard = new Promise((resolve) => {
      const events = new EventSource(`${room}?after=oldest`);
      events.addEventListener("message", ({ data }) => resolve(JSON.parse(data).text));
      events.onerror = () => {
        events.close();
        resolve(NOTHING);
      };
    });
    return {
      simple: await post("text/plain", "simple"),
      asked: await post("application/json", JSON.stringify({ message: "asked" })),
      blind: await answer({ method: "POST", mode: "no-cors", body: "message=blind" }),
      read: await answer({}),
      heard: await heard,
    };
  }, [room, NOTHING]);
}

test("a page of a site that is allowed speaks and reads, and one of another can do neither", async () => {
  const site = await elsewhere();
  const { port } = site.address();
  const server = await Server.start({ store: "memory:", options: ["--allow-origin", `http://127.0.0.1:${port}`] });
  await server.say("sites", "ben", "hello");
  const room = `${server.origin}/chat/sites`;
  const page = await (await browser(server)).newPage();

  await page.goto(`http://chat.test:${port}/`);
  const foreign = await tried(page, room);
  assert.deepEqual(foreign, { simple: NOTHING, asked: NOTHING, blind: NOTHING, read: NOTHING, heard: NOTHING });
  assert.deepEqual(await server.said("sites"), ["hello"]);

  await page.goto(`http://127.0.0.1:${port}/`);
  const allowed = await tried(page, room);
  // What a page sends blindly is published, but not even it gets the answer.
  assert.deepEqual(allowed, { simple: "200 true", asked: "200 true", blind: NOTHING, read: "200 true", heard: "hello" });
  assert.deepEqual((await server.said("sites")).slice(0, 3), ["hello", "simple", "asked"]);
  site.close();
});

test("what is written too fast for the limit waits, and goes out in its order", async () => {
  const options = ["--trusted-proxy", "127.0.0.1", "--limit-messages", "1"];
  const server = await Server.start({ store: "memory:", options });
  const context = await browser(server, { name: "anna", extraHTTPHeaders: { "X-Forwarded-For": "192.0.2.1" } });
  const page = await tab(context, "fast");
  let refused = 0;
  page.on("response", (reply) => (refused += reply.status() === 429));
  // Ten may come at once. What was written offline is sent much faster than one a second.
  await context.setOffline(true);
  const written = Array.from({ length: 20 }, (_, n) => `message ${n}`);
  for (const text of written) await say(page, text);
  await context.setOffline(false);
  await until("all is sent", async () => (await server.said("fast")).length === written.length);
  await sent(page);
  assert.deepEqual(await server.said("fast"), written);
  assert.ok(refused > 0, "the limit was hit");
});
