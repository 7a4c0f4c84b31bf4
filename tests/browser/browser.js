// Drives Chromium. A "browser" here is a context: its own storage, locks and channels.

import * as runner from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { SLOW, slowDown } from "./slow.js";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A name that is not localhost, so that the page has no secure context, as on a phone.
  "--host-resolver-rules=MAP chat.test 127.0.0.1",
];

export const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};

/** How long to wait for what should hold soon, in milliseconds. A busy machine stands still for seconds. */
const PATIENCE = 60_000 * SLOW;

/** A test; one that hangs fails. */
export function test(name, run) {
  const tellIfItFails = async () => {
    try {
      await run();
    } catch (error) {
      await tell().catch(() => {});
      throw error;
    }
  };
  runner.test(name, { timeout: 480_000 * SLOW }, tellIfItFails);
}

/** Prints what the open pages show, for whoever looks why a test has failed. */
async function tell() {
  for (const page of [...contexts].flatMap((context) => context.pages())) {
    const shown = await page.locator("body").innerText({ timeout: 2_000 }).catch((error) => error.message);
    console.log(`${page.url()} shows:\n${shown.replace(/\n+/g, "\n")}\n`);
  }
}

let chrome;
const contexts = new Set();

export async function startChromium() {
  chrome = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ARGUMENTS,
  });
}

export async function endChromium() {
  await chrome.close();
}

/**
 * A browser that has nothing but, perhaps, the name of who has been on this server before, which may be behind a prefix.
 * What its pages report as broken fails the test.
 */
export async function browser(server, { name, origin = server.origin, prefix = "", ...options } = {}) {
  const localStorage = name ? [{ name: `comet-chat${prefix}/name`, value: JSON.stringify(name) }] : [];
  const context = await chrome.newContext({
    viewport: { width: 900, height: 700 },
    // The tests find what the page shows by its words.
    locale: "en-US",
    // What a worker answers a test can't hold up or change. One topic is about it.
    serviceWorkers: "block",
    storageState: { cookies: [], origins: [{ origin, localStorage }] },
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  slowDown(context);
  context.origin = origin + prefix;
  context.isPhone = options.isMobile === true;
  context.faults = [];
  context.on("page", (page) => {
    page.on("pageerror", (error) => context.faults.push(error.stack));
    page.on("dialog", (dialog) => {
      context.faults.push(`a dialog opened: ${dialog.type()} ${dialog.message()}`);
      dialog.dismiss();
    });
    // Chromium reports each breach of the policy on the console.
    page.on("console", (message) => {
      if (/content.security.policy|trusted ?types?/i.test(message.text()))
        context.faults.push(message.text());
    });
  });
  contexts.add(context);
  return context;
}

/** Closes every browser of a test; gives what went wrong in them. */
export async function closeBrowsers() {
  const faults = [];
  for (const context of contexts) {
    await context.close();
    faults.push(...context.faults);
  }
  contexts.clear();
  return faults;
}

/** The seed of a test by chance: another each time, or `SEED`. It is printed, so that a failure can be repeated. */
export function newSeed() {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`SEED=${seed}`);
  return seed;
}

/** Lets the pages of a browser import the page's modules one by one, and `chance.js`, from `/source/`. */
export function sources(context) {
  return context.route("**/source/*.js", (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    const path = fileURLToPath(new URL(name === "chance.js" ? name : `../../src/page/${name}`, import.meta.url));
    return route.fulfill({ path, contentType: "text/javascript" });
  });
}

/** A room in a tab of a browser. */
export async function tab(context, room) {
  const page = await context.newPage();
  await page.goto(`${context.origin}/chat/${encodeURIComponent(room)}`);
  await page.locator("html.ready").waitFor();
  return page;
}

/** Waits until a page shows that somebody has come, as the line of that moves all others. */
export function joined(page, name) {
  return page.locator("#log").getByText(`${name} joined`).waitFor();
}

/** Does something with a message by mouse, given its row. */
export function act(row, label) {
  const button = row.getByRole("button", { name: label, exact: true });
  return until(`${label} is clicked`, async () => {
    await row.locator(".bubble").hover();
    // Who comes or leaves just now is a line that moves the row away from the pointer.
    return button.click({ timeout: 2_000 }).then(() => true, () => false);
  });
}

/** Writes a message and sends it. */
export async function say(page, text) {
  await page.locator("#message").fill(text);
  // On a phone Enter begins a new line.
  await page.locator("#message").press(page.context().isPhone ? "Control+Enter" : "Enter");
}

/**
 * Waits until everything that was written in this room is stored, and the page knows it. The row of a message may go
 * before: when the room has told of the message, and its answer is still on the way.
 */
export function sent(page) {
  const isSent = () => {
    if (document.querySelector("#outbox .row")) return false;
    try {
      const { prefix: place, room } = document.body.dataset;
      const prefix = `comet-chat${place}/outbox/${room}/`;
      return !Object.keys(localStorage).some((key) => key.startsWith(prefix));
    } catch {
      // This browser keeps nothing.
      return true;
    }
  };
  return until("all is sent", () => page.evaluate(isSent));
}

/** What the log shows of what people said, top to bottom, sent or not. */
export function shown(page) {
  return page.locator("#log .row.message .text").allTextContents();
}

/** Waits until a page's own condition holds; `what` names it if it never does. */
export async function until(what, condition, patience = PATIENCE) {
  const begin = Date.now();
  const end = begin + patience;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      // A page without scripts reloads itself, perhaps just while the test reads it.
      if (!/context was destroyed|frame (was|got) detached/i.test(error.message)) throw error;
    }
    if (Date.now() > end) throw new Error(`never: ${what}`);
    // Each look costs as much as the page takes for a message, so who waits for long looks less often.
    await new Promise((resolve) => setTimeout(resolve, Math.max(20, (Date.now() - begin) / 20)));
  }
}

/** Waits until the page shows exactly these texts, in the log or wherever `read` looks. */
export async function showing(page, texts, read = shown) {
  let last;
  const same = async () => {
    last = await read(page);
    return JSON.stringify(last) === JSON.stringify(texts);
  };
  await until("", same).catch((cause) => {
    throw new Error(`the page shows ${JSON.stringify(last)}, not ${JSON.stringify(texts)}`, { cause });
  });
}

/** The requests of a page, or of all pages of a browser, from now on: the polls, those of them that are open, and all others. */
export function requestsOf(pages) {
  const waiting = new Set();
  const asked = { polls: 0, open: 0, others: [] };
  const isPoll = (request) => /[?&]wait=[1-9]/.test(request.url());
  const count = () => (asked.open = waiting.size);
  pages.on("request", (request) => {
    if (!isPoll(request)) asked.others.push(request.url());
    else {
      asked.polls += 1;
      waiting.add(request);
      count();
    }
  });
  // One that was open before is not counted, and so is not when it ends.
  for (const end of ["requestfinished", "requestfailed"]) pages.on(end, (request) => waiting.delete(request) && count());
  return asked;
}

/** Makes a page think that it is hidden, or seen again. */
export async function setHidden(page, hidden) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
    Object.defineProperty(document, "visibilityState", {
      configurable: true,
      value: hidden ? "hidden" : "visible",
    });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}
