// The page as an app on a device: it opens without a network, with what was read, and takes what is written.

import assert from "node:assert/strict";

import { Between } from "./between.js";
import { act, browser, say, sent, setHidden, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

/** A browser whose pages have a worker. */
const device = (server, options) => browser(server, { name: "anna", serviceWorkers: "allow", ...options });

/** Waits until the worker serves this page, and what it shows is kept. */
function kept(page, text) {
  const isKept = async (text) => {
    if (!navigator.serviceWorker.controller) return false;
    const prefix = document.body.dataset.prefix;
    const { pathname } = location;
    const [pages, kept] = await Promise.all(["pages", "kept"].map((name) => caches.open(`comet-chat${prefix} ${name}`)));
    const record = await (await kept.match(pathname))?.json();
    // On a slow machine the reader comes in after what was said first.
    return (await pages.match(pathname)) !== undefined && record?.messages.some((message) => message.text === text);
  };
  return until(`${text} is kept`, () => page.evaluate(isKept, text));
}

const everything = (page) =>
  page.evaluate(async () => {
    const texts = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) texts.push(await (await cache.match(request)).text());
    }
    return texts.join("\n");
  });

test("without a network a room opens with what was read, and what is written arrives once when it is back", async () => {
  // The other tests of this topic have no prefix.
  const server = await Server.start({ options: ["--public-url", "http://127.0.0.1/talk"] });
  const context = await device(server, { prefix: "/talk" });
  const page = await tab(context, "boat");
  await server.say("boat", "ben", 'a <b>"bold"</b> & <script>word</script>');
  const secret = await server.say("boat", "ben", "a secret");
  await say(page, "my own");
  await sent(page);
  await server.say("boat", "ben", "@anna are you there?");
  await kept(page, "@anna are you there?");
  const worker = await page.evaluate(async () => [(await navigator.serviceWorker.ready).scope, ...(await caches.keys())]);
  assert.deepEqual(worker.sort(), [...["files", "kept", "pages"].map((name) => `comet-chat/talk ${name}`), `${context.origin}/`]);

  // What is deleted is kept nowhere.
  await act(page.locator("#log .row.message", { hasText: "my own" }), "Delete");
  await page.locator("#ask-yes").click();
  await until("its text is gone", async () => !(await everything(page)).includes("my own"));
  const before = ['a <b>"bold"</b> & <script>word</script>', "a secret", "Deleted", "@anna are you there?"];
  await showing(page, before);
  assert.ok(secret.id);

  // The machine of the server goes, and this one starts again.
  await server.kill();
  await page.close();
  const away = await context.newPage();
  await away.goto(`${context.origin}/chat/boat`);
  await away.locator("html.ready").waitFor();
  await showing(away, before);
  await away.locator("#line").waitFor();
  await say(away, "from the sea");
  await away.reload();
  await showing(away, [...before, "from the sea"]);
  assert.equal(await away.locator("#outbox .row").count(), 1);

  // In a room that was never read here there is nothing to show.
  const other = await context.newPage();
  await assert.rejects(other.goto(`${context.origin}/chat/elsewhere`), /ERR_CONNECTION_REFUSED|ERR_FAILED/);
  await other.close();

  await server.restart();
  await server.say("boat", "ben", "and meanwhile");
  await sent(away);
  const after = await server.said("boat");
  assert.deepEqual(after.filter((text) => text === "from the sea"), ["from the sea"]);
  await until("both are there", async () => {
    const shown = await away.locator("#log .row.message .text").allTextContents();
    return shown.length === 6 && shown.includes("and meanwhile") && shown.includes("from the sea");
  });

  // The app on a home screen begins where its owner was.
  await away.goto(`${context.origin}/chat/lobby?start`);
  assert.match(away.url(), /\/talk\/chat\/boat$/);
  await server.end();
});

test("what else answers in the server's place is not kept, and a newer server's page comes at once", async () => {
  const server = await Server.start({ store: "memory:" });
  const between = await Between.before(server);
  const { origin } = between;
  const context = await device(server, { origin });
  const page = await tab(context, "port");
  await server.say("port", "ben", "hi");
  await kept(page, "hi");
  const room = `${origin}/chat/port`;
  const isRoom = (path) => path === "/chat/port";

  const portal = { body: "<title>Sign in to this network</title><body>" };
  between.answer = (path) => (isRoom(path) ? portal : undefined);
  await page.goto(room);
  assert.equal(await page.title(), "Sign in to this network");

  // A proxy says that it does not reach the server.
  between.answer = (path) => (isRoom(path) ? { status: 502, body: "Bad Gateway" } : undefined);
  await page.goto(room);
  await page.locator("html.ready").waitFor();
  await showing(page, ["hi"]);

  // The line is there, and nothing comes.
  between.answer = (path) => (isRoom(path) ? { isSilent: true } : undefined);
  await page.goto(room);
  await page.locator("html.ready").waitFor();
  await showing(page, ["hi"]);

  between.letGo();

  // A newer server names other files: the page is made of them at once, and the old ones go.
  const style = { headers: { "Content-Type": "text/css", "Cache-Control": "public, immutable" }, body: "h1 { letter-spacing: 7px !important; }" };
  between.answer = (path) => (path.endsWith("page-0123456789abcdef.css") ? style : undefined);
  between.change = (path, text) =>
    isRoom(path) ? text.replaceAll(/page-[0-9a-f]{16}\.css/g, "page-0123456789abcdef.css") : undefined;
  await page.goto(room);
  await page.locator("html.ready").waitFor();
  assert.equal(await page.locator("h1").evaluate((h1) => getComputedStyle(h1).letterSpacing), "7px");
  const styles = () =>
    page.evaluate(async () => {
      const all = await (await caches.open("comet-chat files")).keys();
      return all.map(({ url }) => new URL(url).pathname).filter((name) => /\/page-[^/]*\.css$/.test(name));
    });
  await until("only the new one is kept", async () => String(await styles()) === "/page/page-0123456789abcdef.css");
  // The worker learns from one page after the other, so it is done with that one.
  assert.ok(!(await everything(page)).includes("Sign in"));

  // A server without a worker, as one of an earlier version, ends it.
  between.answer = () => {};
  between.change = (path, text) => (isRoom(path) ? text.replace(" data-worker", "") : undefined);
  await page.goto(room);
  await until("there is none, and nothing is kept", () =>
    page.evaluate(async () => {
      const workers = await navigator.serviceWorker.getRegistrations();
      return workers.length === 0 && !(await caches.has("comet-chat files"));
    }),
  );
  await context.close();
  between.end();
  await server.end();
});

test("who is no longer let in finds nothing, with a network or without one", async () => {
  const server = await Server.start({ store: "memory:" });
  const between = await Between.before(server);
  const context = await device(server, { origin: between.origin });
  const page = await tab(context, "inn");
  await server.say("inn", "ben", "our secret");
  await kept(page, "our secret");
  const out = {
    status: 401,
    headers: { "Content-Type": "application/problem+json", "WWW-Authenticate": 'Cookie realm="comet-chat"' },
    body: '{"type":"urn:comet-chat:not-in","title":"Unauthorized","status":401,"detail":"log in"}',
  };
  between.answer = (path) => (path.startsWith("/chat/") ? out : undefined);
  // The poll that waits is answered, and the next is not let in.
  await server.say("inn", "ben", "one more");
  await page.locator("#line-login").waitFor();
  await until("nothing is kept", async () => !(await everything(page)).includes("our secret"));
  await page.goto(`${between.origin}/chat/inn`);
  await until("no page either", () => page.evaluate(async () => !(await caches.has("comet-chat pages"))));
  between.end();
  const other = await context.newPage();
  await assert.rejects(other.goto(`${between.origin}/chat/inn`), /ERR_/);
  await server.end();
});

test("where only a worker may show notifications, it does, and a click leads to the room", async () => {
  const server = await Server.start({ store: "memory:" });
  const context = await device(server);
  await context.addInitScript(() => {
    globalThis.Notification = class {
      static permission = "granted";
      constructor() {
        throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
      }
    };
    globalThis.shown = [];
    // A page without an address has none.
    const { prototype = {} } = globalThis.ServiceWorkerRegistration ?? {};
    prototype.showNotification = async (title, options) => void shown.push({ title, ...options });
  });
  const page = await tab(context, "bell");
  await server.say("bell", "ben", "hi");
  await kept(page, "hi");
  await page.locator("#rooms-button").click();
  await page.locator("#notify").click();
  await until("it is on", () => page.evaluate(() => shown[0]?.title === "Notifications are on"));
  const other = await tab(context, "elsewhere");
  await setHidden(page, true);
  await server.say("bell", "ben", "@anna come");
  const told = await until("a tab tells", async () => {
    const [here, there] = await Promise.all([page, other].map((page) => page.evaluate(() => shown)));
    return [...here, ...there].find(({ title }) => title === "ben in bell");
  });
  assert.equal(told.body, "@anna come");
  assert.deepEqual(told.data, { address: "/chat/bell" });
  const [worker] = context.serviceWorkers();
  const opened = await worker.evaluate(async (data) => {
    const asked = [];
    clients.openWindow = async (address) => void asked.push(address);
    WindowClient.prototype.focus = async function () {
      asked.push(`focus ${new URL(this.url).pathname}`);
    };
    for (const address of [data.address, "/chat/nowhere"]) {
      const event = new Event("notificationclick");
      event.notification = { data: { address }, close: () => asked.push("close") };
      const done = new Promise((resolve) => (event.waitUntil = resolve));
      dispatchEvent(event);
      await done.then((work) => work);
    }
    return asked;
  }, told.data);
  assert.deepEqual(opened, ["close", "focus /chat/bell", "close", "/chat/nowhere"]);
  await server.end();
});
