// A later visit to a room: its page begins before the server answers.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { Between } from "./between.js";
import { browser, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const directory = mkdtempSync(join(tmpdir(), "comet-chat-early-"));
after(() => rmSync(directory, { recursive: true }));

/** How long a server far away says nothing, in milliseconds. */
const ROUND_TRIP = 300;

/**
 * Waits until the browser keeps how this page begins, and what was said in its room. On a first visit it keeps a page that
 * the worker has asked for itself.
 */
function kept(page, text, { isFirst = false } = {}) {
  const isKept = async ([text, isFirst]) => {
    const [pages, kept] = await Promise.all(["pages", "kept"].map((name) => caches.open(`comet-chat ${name}`)));
    const [begins, record] = await Promise.all([pages, kept].map((cache) => cache.match(location.pathname)));
    if (!begins?.headers.has("chat-begins-alike") || !record) return false;
    // Each page has its own.
    const { value } = document.querySelector("#composer [name=id]");
    const isThis = isFirst || (await begins.text()).includes(value);
    return isThis && (await record.json()).messages.some((message) => message.text === text);
  };
  return until(`the beginning and ${text} are kept`, () => page.evaluate(isKept, [text, isFirst]));
}

/** Something to wait for, and what ends that. */
function gate() {
  let open;
  const until = new Promise((resolve) => (open = resolve));
  return { until, open };
}

/** A room behind a proxy, in a browser that has been there; counts how often its page is asked for. */
async function visited(server, room) {
  const between = await Between.before(server);
  const path = `/chat/${room}`;
  const asked = { pages: 0 };
  between.change = (url) => void (asked.pages += url === path);
  const context = await browser(server, { name: "anna", serviceWorkers: "allow", origin: between.origin });
  await server.say(room, "ben", "before");
  const page = await tab(context, room);
  await kept(page, "before", { isFirst: true });
  // What the worker asks for itself.
  asked.pages = 0;
  return { between, context, page, path, address: between.origin + path, asked };
}

/** Opens an address of which the server says nothing before it has begun, or for a while. */
async function open(page, address, between, { isEarly }) {
  const { pathname } = new URL(address);
  await page.goto("about:blank");
  const held = gate();
  between.hold = (url) => (url === pathname ? held : undefined);
  if (!isEarly) setTimeout(held.open, ROUND_TRIP);
  await page.goto(address, { waitUntil: "commit" });
  held.open();
}

/** The style and the scripts that a page has, and what of its body. */
const had = (page) =>
  page.evaluate(() => ({
    files: performance.getEntriesByType("resource").filter(({ name, responseEnd }) => responseEnd > 0 && /\/(page|phrases-en)-[^/]*$/.test(name)).length,
    styles: Array.from(document.styleSheets, ({ cssRules }) => cssRules.length > 100).filter(Boolean).length,
    isOpen: document.body !== null,
    rows: document.querySelectorAll(".row.message").length,
  }));

test("a later visit has its style and scripts before the server answers, and then shows what that says as it comes", async () => {
  const server = await Server.start({ store: "memory:" });
  const { between, page, path, address, asked } = await visited(server, "quay");
  await page.goto("about:blank");
  const { id } = await server.say("quay", "ben", "meanwhile");
  const [body, list] = [gate(), gate()];
  between.hold = (url) => (url === path ? body : undefined);
  await page.goto(address, { waitUntil: "commit" });
  await until("the files are there", async () => {
    const { files, styles } = await had(page);
    return files === 3 && styles === 1;
  });
  assert.deepEqual(await had(page), { files: 3, styles: 1, isOpen: false, rows: 0 });
  body.open();
  await page.locator("html.running").waitFor();
  await showing(page, ["before", "meanwhile"]);
  assert.equal(asked.pages, 1);

  // The answer is passed on as it comes, also to who comes by a link to a message.
  await kept(page, "meanwhile");
  await page.goto("about:blank");
  between.hold = (url) => (url === path ? { from: '<ol class="messages">', ...list } : undefined);
  await page.goto(`${address}#${id}`, { waitUntil: "commit" });
  await page.locator("#chunks").waitFor({ state: "attached" });
  assert.equal((await had(page)).rows, 0);
  list.open();
  await page.locator(".lit").getByText("meanwhile").waitFor();
  await showing(page, ["before", "meanwhile"]);
  assert.equal(asked.pages, 2);
  between.end();
  await server.end();
});

test("a page that the server begins otherwise is loaded again once, and begins early again when it was the same twice", async () => {
  const server = await Server.start({ store: "memory:" });
  const { between, context, page, path, address, asked } = await visited(server, "lock");
  const count = between.change;
  const { id } = await server.say("lock", "ben", "from a newer server");
  let version = 1;
  /** A newer server, as far as the beginning of its pages goes. */
  const newer = (url, text) => {
    count(url);
    return url === path ? text.replace("<title>", `<meta name="version" content="${version}"><title>`) : undefined;
  };
  const shows = async (asks) => {
    const isThere = async () => asked.pages === asks && (await page.locator("html.running").count()) === 1;
    await until(`it is asked for ${asks} times, and loaded`, isThere);
    assert.equal(await page.locator("meta[name=version]").getAttribute("content"), String(version));
    await showing(page, ["before", "from a newer server"]);
    assert.equal(asked.pages, asks);
    asked.pages = 0;
  };
  between.change = newer;
  await open(page, `${address}#${id}`, between, { isEarly: true });
  await shows(2);
  assert.equal(new URL(page.url()).hash, `#${id}`);
  await page.locator(".lit").getByText("from a newer server").waitFor();
  await kept(page, "from a newer server");

  // Where scripts were forbidden meanwhile, too.
  version = 2;
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setScriptExecutionDisabled", { value: true });
  await open(page, address, between, { isEarly: true });
  await until("the page is loaded again", async () => asked.pages === 2 && (await page.locator("#composer").count()) === 1);
  asked.pages = 0;
  await session.send("Emulation.setScriptExecutionDisabled", { value: false });
  await page.goto(address);
  await shows(1);
  await kept(page, "from a newer server");

  // A proxy that writes something else into each page costs one time, and not each.
  between.change = (url, text) => {
    if (url === path) version += 1;
    return newer(url, text);
  };
  for (const [isEarly, asks] of [[true, 2], [false, 1], [false, 1]]) {
    await open(page, address, between, { isEarly });
    await shows(asks);
    const isKept = async (version) => (await (await caches.match(location.pathname)).text()).includes(`content="${version}"`);
    await until("it is kept", () => page.evaluate(isKept, version));
  }
  between.end();
  await server.end();
});

test("who is not let in any more sees what the server says, and where there is no server what was read, or the browser's words", async () => {
  const file = join(directory, "passphrase");
  writeFileSync(file, "open sesame, please\n", { mode: 0o600 });
  const server = await Server.start({ store: "memory:", options: ["--passphrase-file", file] });
  server.headers = { Authorization: `Basic ${btoa(":open sesame, please")}` };
  const between = await Between.before(server);
  const context = await browser(server, { name: "anna", serviceWorkers: "allow", origin: between.origin });
  await server.say("vault", "ben", "our secret");
  const page = await context.newPage();
  const address = `${between.origin}/chat/vault`;
  await page.goto(address);
  await page.locator("#passphrase").fill("open sesame, please");
  await page.locator("#passphrase").press("Enter");
  await page.locator("html.running").waitFor();
  await kept(page, "our secret", { isFirst: true });

  // The server is away.
  between.answer = (url) => (url === "/chat/vault" ? { status: 503, body: "<title>Away</title>" } : undefined);
  await open(page, address, between, { isEarly: true });
  await page.locator("html.running").waitFor();
  await showing(page, ["our secret"]);
  // Nothing is kept to be read, and no page keeps anything.
  await page.goto(`${between.origin}/rooms`);
  await page.evaluate(() => caches.delete("comet-chat kept"));
  between.answer = (url) => (url === "/chat/vault" ? { isSilent: true } : undefined);
  await page.goto(address, { waitUntil: "commit" });
  await until("the browser's own words", () => {
    between.letGo();
    return page.url().startsWith("chrome-error:");
  });
  between.answer = () => {};
  await page.goto(address);
  await page.locator("html.running").waitFor();
  await kept(page, "our secret");

  writeFileSync(file, "open barley, please\n", { mode: 0o600 });
  await server.reload();
  const statuses = [];
  page.on("response", (reply) => reply.url() === address && statuses.push(reply.status()));
  await open(page, address, between, { isEarly: true });
  await page.locator("#passphrase").waitFor();
  assert.equal(statuses.at(-1), 401);
  await until("nothing is kept", () => page.evaluate(async () => !(await caches.has("comet-chat pages")) && !(await caches.has("comet-chat kept"))));
  between.end();
  await server.end();
});
