// Chromium, driven. A "browser" here is a context: its own storage, locks and channels.

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A name that is not localhost, so that the page has no secure context, as on a phone.
  "--host-resolver-rules=MAP chat.test 127.0.0.1",
];

let chrome;
const contexts = new Set();

export async function startChromium() {
  chrome = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
}

export async function endChromium() {
  await chrome.close();
}

/** A browser with nothing in it. What its pages report as broken fails the test that closes it. */
export async function browser(options = {}) {
  const context = await chrome.newContext({ viewport: { width: 900, height: 700 }, ...options });
  context.setDefaultTimeout(10_000);
  context.faults = [];
  context.on("page", (page) => {
    page.on("pageerror", (error) => context.faults.push(error.stack));
    page.on("dialog", (dialog) => {
      context.faults.push(`a dialog opened: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("console", (message) => {
      if (/content.security.policy|trusted ?types?/i.test(message.text())) context.faults.push(message.text());
    });
  });
  if (options.javaScriptEnabled !== false) {
    await context.exposeBinding("reportViolation", (_, violation) => context.faults.push(violation));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        window.reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
      });
    });
  }
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

/** A room in a tab of a browser. With a name, as who has been here before. */
export async function tab(context, server, room, { name, origin = server.origin } = {}) {
  if (name && !context.named) {
    context.named = true;
    await context.addInitScript((name) => {
      localStorage.getItem("comet-chat/name") ?? localStorage.setItem("comet-chat/name", JSON.stringify(name));
    }, name);
  }
  const page = await context.newPage();
  await page.goto(`${origin}/chat/${encodeURIComponent(room)}`);
  await page.locator("html.ready").waitFor();
  return page;
}

/** Writes a message and sends it. */
export async function say(page, text) {
  await page.locator("#message").fill(text);
  await page.locator("#message").press("Enter");
}

/** What the log shows of what people said, top to bottom, sent or not. */
export function shown(page) {
  return page.locator("#log .row.message .text").allTextContents();
}

/** Waits until a page's own condition holds; `what` names it if it never does. */
export async function until(what, condition, patience = 15_000) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until the page shows exactly these texts. */
export async function showing(page, texts) {
  let last;
  const same = async () => {
    last = await shown(page);
    return JSON.stringify(last) === JSON.stringify(texts);
  };
  await until("", same).catch(() => {
    throw new Error(`the page shows ${JSON.stringify(last)}, not ${JSON.stringify(texts)}`);
  });
}

/** Makes a page think that it is hidden, or seen again. */
export async function setHidden(page, hidden) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, value: hidden ? "hidden" : "visible" });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}
