// Takes pictures of the page's main states. They are for people to look at: no test compares them.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { PHONE, browser, closeBrowsers, endChromium, say, sent, startChromium, tab } from "./browser.js";
import { Server, endServers } from "./server.js";

const directory = process.argv[2];
mkdirSync(directory, { recursive: true });

const DESK = { viewport: { width: 1280, height: 800 } };
const LIGHT = { colorScheme: "light" };
const DARK = { colorScheme: "dark" };

const TALK = [
  ["Mira", "Morning! The projector in room 2 is back 🎉"],
  ["Jonas", "Wonderful. I'll bring the slides over, they are at https://example.org/comet/slides"],
  ["Jonas", "Still looking for a good name for the last chapter."],
  ["دينا", "صباح الخير! سأصل بعد عشر دقائق"],
  ["Mira", '"What a waiting thread costs"?'],
  ["Theo", "👏👏"],
  [
    "Theo",
    "Who has the long cable? Mine ends right in the middle of the room, and the socket near the window is dead again.",
  ],
];

/** A picture of a page when all that moves has arrived. */
async function picture(page, name) {
  await page.evaluate(() => {
    const ends = (animation) => animation.effect.getComputedTiming().iterations !== Infinity;
    return Promise.all(
      document
        .getAnimations()
        .filter(ends)
        .map(({ finished }) => finished),
    );
  });
  await page.screenshot({ path: join(directory, `${name}.png`) });
  console.log(join(directory, `${name}.png`));
}

/** A server with a conversation in it, and people who are there. */
async function conversation() {
  const server = await Server.start();
  for (const [name, text] of [
    ["Theo", "Anyone for lunch at one?"],
    ["Mira", "Always."],
  ]) {
    await server.say("lunch", name, text);
  }
  await server.say("comet-lecture", "Jonas", "Draft of chapter 4 is up.");
  for (const [name, text] of TALK) await server.say("workshop", name, text);
  return server;
}

/** Somebody who has read the other rooms before, and is in the workshop. */
async function visitor(server, name, options) {
  const context = await browser(server, { ...options, name });
  const lunch = await tab(context, "lunch");
  await lunch.locator("#log .row.message").first().waitFor();
  await lunch.close();
  return { context, page: await tab(context, "workshop") };
}

async function main() {
  await startChromium();

  let server = await conversation();
  const first = await tab(await browser(server, { ...PHONE, ...LIGHT }), "workshop");
  await picture(first, "phone-first-visit");
  await first.context().close();

  const desk = await visitor(server, "Anna", { ...DESK, ...LIGHT });
  await server.say("lunch", "Theo", "The Lebanese place then");
  await server.say("lunch", "Mira", "Yes!");
  await say(desk.page, "I have one, 15 m. @Theo it's in the cupboard behind you");
  await sent(desk.page);
  await server.say("workshop", "Theo", "@Anna found it, thank you!");
  await desk.page.locator(".to-me").waitFor();
  await desk.page.reload();
  await desk.page.locator("#room-list .badge").waitFor();
  await picture(desk.page, "desk-light");
  await desk.page.emulateMedia({ colorScheme: "dark" });
  await picture(desk.page, "desk-dark");

  const phone = await visitor(server, "Max", { ...PHONE, ...DARK });
  await say(phone.page, "Hi all, Max here, by the code on the door");
  await sent(phone.page);
  await picture(phone.page, "phone-dark");
  await phone.page.emulateMedia({ colorScheme: "light" });
  await picture(phone.page, "phone-light");
  await phone.page.locator("#people-button").tap();
  await phone.page.locator("#people-list li").nth(4).waitFor();
  await picture(phone.page, "phone-people");
  await phone.page.keyboard.press("Escape");
  await phone.page.locator("#rooms-button").tap();
  await picture(phone.page, "phone-rooms");
  await phone.page.keyboard.press("Escape");
  await phone.page.locator("#share-button").tap();
  await phone.page.locator("#qr").evaluate((image) => image.decode());
  await picture(phone.page, "phone-share");
  await phone.page.keyboard.press("Escape");
  await phone.page.locator("#message").pressSequentially("@");
  await phone.page.locator("#mentions li").first().waitFor();
  await picture(phone.page, "phone-mention");
  await phone.page.locator("#message").fill("");

  await server.kill();
  await say(phone.page, "Is it only me, or has the network gone?");
  await phone.page.locator("#line").waitFor();
  await picture(phone.page, "phone-reconnecting");
  await server.restart();
  await sent(phone.page);

  await phone.context.route("**/chat/workshop*", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({
          status: 413,
          contentType: "application/problem+json",
          body: '{"type":"urn:comet-chat:message-too-large","detail":"A message has at most 64 KiB."}',
        })
      : route.continue(),
  );
  await say(phone.page, "This one is not taken");
  await phone.page.locator(".failure").waitFor();
  await picture(phone.page, "phone-failed");

  const forced = await visitor(server, "Anna", { ...DESK, ...DARK, forcedColors: "active" });
  await forced.page.setViewportSize({ width: 1400, height: 800 });
  await forced.page.locator("#room-list a").nth(2).waitFor();
  await picture(forced.page, "desk-forced-colours");

  const narrow = await visitor(server, "Anna", { ...PHONE, ...LIGHT, viewport: { width: 320, height: 568 } });
  await picture(narrow.page, "narrow");

  for (const [name, text] of [
    ["دينا", "صباح الخير! هل قرأتم https://example.org/كتاب؟"],
    ["נועה", "בוקר טוב, @Anna! מתי נפגשים?"],
    ["دينا", "بعد عشر دقائق (room 2) إن شاء الله."],
  ])
    await server.say("ورشة", name, text);
  const right = await tab(await browser(server, { ...PHONE, ...LIGHT, name: "Anna", locale: "ar" }), "ورشة");
  await say(right, "حسنا، أنا في الطريق");
  await sent(right);
  await picture(right, "phone-right-to-left");
  await right.evaluate(() => (document.dir = "rtl"));
  await picture(right, "phone-right-to-left-page");

  const plain = await (await browser(server, { ...PHONE, ...LIGHT, javaScriptEnabled: false })).newPage();
  await plain.goto(`${server.origin}/chat/workshop`);
  await plain.frameLocator("iframe").locator(".row.message").first().waitFor();
  await picture(plain, "phone-no-javascript").catch(() =>
    plain.screenshot({ path: join(directory, "phone-no-javascript.png") }),
  );
  await picture(await tab(await browser(server, { ...DESK, ...LIGHT }), "quiet-corner"), "desk-empty");
  await closeBrowsers();

  // What was said yesterday, as far as this browser knows.
  const late = await browser(server, { ...DESK, ...LIGHT, name: "Anna" });
  await late.addInitScript(
    (day) => {
      const now = Date.now;
      Date.now = () => now() + day;
    },
    24 * 60 * 60 * 1000,
  );
  for (let n = 0; n < 60; n += 1) {
    await server.say(
      "history",
      ["Mira", "Theo", "Jonas"][(n * n) % 3],
      `Minutes of the meeting, item ${n + 1}: ${TALK[n % 7][1]}`,
    );
  }
  const read = await tab(late, "history");
  await read.waitForFunction(() => localStorage.getItem("comet-chat/read/history"));
  await read.close();
  await server.say("history", "Mira", "That was all. Questions?");
  await server.say("history", "Theo", "Only whether there is coffee.");
  const history = await tab(late, "history");
  await history.locator("#log .row.marker").waitFor();
  await picture(history, "desk-history");
}

try {
  await main();
} finally {
  await closeBrowsers();
  await endChromium();
  await endServers();
}
