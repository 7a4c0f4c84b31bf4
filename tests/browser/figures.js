// Figures of the page on this machine, in a real Chromium. They are no test: a busy machine is slow.

import { PHONE, browser, closeBrowsers, endChromium, startChromium } from "./browser.js";
import { Server, endServers } from "./server.js";

const ROUNDS = 15;

/** As many as a page holds. */
const MESSAGES = 10_000;

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Opens a room in an empty browser; when its first message was painted, in milliseconds. */
async function firstMessage(server) {
  const context = await browser(server, PHONE);
  const page = await context.newPage();
  await page.goto(`${server.origin}/chat/figures`, { waitUntil: "commit" });
  const painted = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = () =>
          document.querySelector(".row.message") && requestAnimationFrame(() => resolve(performance.now()));
        if (!seen())
          new MutationObserver((_, observer) => seen() && observer.disconnect()).observe(document, {
            childList: true,
            subtree: true,
          });
      }),
  );
  await context.close();
  return painted;
}

/** A line over half the world, as Chromium makes one: each answer begins so much later, in milliseconds. */
const ROUND_TRIP = 150;

/** Opens a room at a distance, twice: when its first message was painted and its script ready, in milliseconds. */
async function distant(server) {
  const context = await browser(server, { ...PHONE, serviceWorkers: "allow" });
  const open = async () => {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    const line = { offline: false, latency: ROUND_TRIP, downloadThroughput: -1, uploadThroughput: -1 };
    await session.send("Network.emulateNetworkConditions", line);
    await page.addInitScript(() => {
      globalThis.figures = {};
      const look = () => {
        if (document.querySelector(".row.message") && !figures.painted) {
          figures.painted = Infinity;
          requestAnimationFrame(() => (figures.painted = performance.now()));
        }
        if (document.documentElement?.classList.contains("ready")) figures.ready ??= performance.now();
      };
      new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
    });
    await page.goto(`${server.origin}/chat/figures`);
    await page.waitForFunction(() => figures.ready && Number.isFinite(figures.painted));
    const figures = await page.evaluate(() => globalThis.figures);
    await page.close();
    return figures;
  };
  const both = { cold: await open(), warm: await open() };
  await context.close();
  return both;
}

/** Scrolls up through what is kept; how long frames took, in milliseconds, and what is in memory then, in MB. */
async function scrolling(server) {
  const page = await (await browser(server, PHONE)).newPage();
  await page.goto(`${server.origin}/chat/figures`);
  await page.locator("html.ready").waitFor();
  const seen = await page.locator("#log").evaluate(async (log) => {
    const frames = [];
    let last = await new Promise(requestAnimationFrame);
    while (!document.getElementById("edge").textContent.startsWith("The beginning") || log.scrollTop > 0) {
      log.scrollBy(0, -240);
      const now = await new Promise(requestAnimationFrame);
      frames.push(now - last);
      last = now;
    }
    return { frames, nodes: log.querySelectorAll("*").length };
  });
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return { ...seen, heap: usedSize / 1e6 };
}

await startChromium();
const server = await Server.start({ store: "memory:" });
for (let n = 0; n < MESSAGES; n += 1)
  await server.say("figures", n % 3 ? "ben" : "cleo", `number ${n} ${"and so on ".repeat(n % 9)}`);

const painted = [];
for (let n = 0; n < ROUNDS; n += 1) painted.push(await firstMessage(server));
console.log(
  `first message visible, empty cache: median ${Math.round(median(painted))} ms of ${ROUNDS}, worst ${Math.round(Math.max(...painted))} ms`,
);

const loads = [];
for (let n = 0; n < ROUNDS; n += 1) loads.push(await distant(server));
for (const way of ["cold", "warm"]) {
  const of = (what) => Math.round(median(loads.map((load) => load[way][what])));
  console.log(
    `at a round trip of ${ROUND_TRIP} ms, ${way}: first message visible ${of("painted")} ms, script ready ${of("ready")} ms, medians of ${ROUNDS}`,
  );
}

const { frames, nodes, heap } = await scrolling(server);
const late = frames.filter((frame) => frame > 50).length;
console.log(
  `scrolling up through ${MESSAGES} messages: ${frames.length} frames, median ${median(frames).toFixed(1)} ms, ${late} over 50 ms, worst ${Math.round(frames.at(-1))} ms, ${nodes} nodes and ${heap.toFixed(1)} MB of heap at the end`,
);

await closeBrowsers();
await endChromium();
await endServers();
