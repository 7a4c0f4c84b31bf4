// Sounds and notifications: of what, in which tab, and by whose leave.

import assert from "node:assert/strict";

import { FOR_AXE, violations } from "./axe.js";
import { clickShown, recorded, setFocused } from "./bell.js";
import { browser, say, setHidden, showing, sources, tab, test, until } from "./browser.js";
import { Server } from "./server.js";
import { Wire } from "./wire.js";

const server = await Server.common();

const DESK = { viewport: { width: 1300, height: 800 } };

const entry = (page, room) => page.locator(`#room-list li[data-room="${room}"]`);
const sound = (page) => page.getByRole("switch", { name: "Sound" });
const notifications = (page) => page.getByRole("switch", { name: "Notifications" });
const note = (page, which) => page.locator(`#${which}-note`);
const one = (room) => until(`one waiter in ${room}`, async () => (await server.waiting(room)) === 1);

/** Turns both switches on, and forgets what they have shown as a proof. */
async function turnOn(page, heard) {
  await sound(page).check();
  await notifications(page).check();
  await until("both are kept", () => page.evaluate(() => localStorage["comet-chat/sound"] && localStorage["comet-chat/notify"]));
  assert.equal(heard.filter(({ is }) => is === "tone").length, 1, "the sound shows how it is");
  assert.equal(heard.filter(({ is }) => is === "shown").length, 1, "and so does a notification");
  heard.length = 0;
}

/** Chooses what a room gives notice of. */
async function choose(page, room, words) {
  const choice = entry(page, room).getByRole("radio", { name: words });
  if (!(await choice.isVisible())) await entry(page, room).getByRole("button", { name: `Mute or leave ${room}` }).click();
  await choice.check();
}

const titles = (heard) => heard.filter(({ is }) => is === "shown").map(({ title }) => title);
const tones = (heard) => heard.filter(({ is }) => is === "tone").length;

/** Waits for these notifications, and for no other. */
async function shows(heard, ...wanted) {
  await until(`${wanted.length} notifications`, () => titles(heard).length >= wanted.length).catch(() => {});
  assert.deepEqual(titles(heard), wanted);
}

/**
 * Stops the clock of these pages, and has each wait longer for what it asks of another, so that on a busy machine no time
 * goes by between two notices.
 */
async function still(...pages) {
  const now = Date.now();
  const stop = (now) => {
    Date.now = () => now;
    const set = globalThis.setTimeout;
    // As long as errands.js waits.
    globalThis.setTimeout = (run, time) => set(run, time === 1_000 ? 30_000 : time);
  };
  for (const page of pages) await page.evaluate(stop, now);
}

/** Waits until a page has heard of all that was said in its room: what comes after that it takes for new. */
async function hears(page, room) {
  await server.say(room, "cleo", "is all heard?");
  await page.locator("#log .text", { hasText: "is all heard?" }).waitFor();
}

/** As if so much time went by, in milliseconds. */
const later = (page, time) =>
  page.evaluate((time) => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + time;
  }, time);

test("a mention gives notice, and by the room's choice every message or none", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const anna = await tab(context, "of-what");
  await turnOn(anna, heard);
  const ben = await tab(await browser(server, { name: "ben" }), "of-what");
  await setHidden(anna, true);
  await say(ben, "good morning");
  await say(ben, "@Anna, good morning");
  await shows(heard, "ben in of-what");
  assert.deepEqual(heard.find(({ is }) => is === "shown"), {
    page: anna,
    is: "shown",
    title: "ben in of-what",
    body: "@Anna, good morning",
    tag: "comet-chat/of-what",
    renotify: true,
    silent: true,
  });
  await until("it sounds", () => tones(heard) === 1);
  // Looking at the room reads it, and takes the notification away.
  await setHidden(anna, false);
  await until("it is closed", () => heard.some(({ is, tag }) => is === "closed" && tag === "comet-chat/of-what"));

  await choose(anna, "of-what", "All messages");
  await setHidden(anna, true);
  await say(ben, "to nobody");
  await shows(heard, "ben in of-what", "ben in of-what");
  await say(anna, "to @anna, and my own");
  await say(ben, "to nobody again");
  await shows(heard, "ben in of-what", "ben in of-what", "2 new messages in of-what");

  await setHidden(anna, false);
  await choose(anna, "of-what", "Nothing: mute it");
  await setHidden(anna, true);
  await say(ben, "@anna, psst");
  await until("it is there", () => anna.getByText("psst").isVisible());
  assert.doesNotMatch(await anna.title(), /^\(/);
  await setHidden(anna, false);
  await choose(anna, "of-what", "Mentions and quotes");
  await setHidden(anna, true);
  await say(ben, "@anna, still there?");
  await until("the last is shown", () => titles(heard).length > 3);
  assert.equal(titles(heard)[3], "ben in of-what");
});

test("a message is for whom it mentions, and for whose message it answers", async () => {
  const context = await browser(server);
  await sources(context);
  const page = await tab(context, "for-me");
  const found = await page.evaluate(async () => {
    const { isForMe } = await import("/source/forme.js");
    const anna = { me: "anna", isOwn: (id) => id === "hers" };
    const messages = [
      { text: "to @Anna" },
      { text: "to @annabel" },
      { text: "to nobody", reply_to: "hers" },
      { text: "to nobody", reply_to: "his" },
    ];
    const others = messages.map((message) => isForMe(message, { ...anna, own: false }));
    const own = messages.map((message) => isForMe(message, { ...anna, own: true }));
    const unnamed = messages.map((message) => isForMe(message, { ...anna, me: null, own: false }));
    return { others, own, unnamed };
  });
  assert.deepEqual(found.others, [true, false, true, false]);
  assert.deepEqual(found.own, [false, false, false, false], "nobody speaks to themselves");
  assert.deepEqual(found.unnamed, [false, false, true, false]);
});

test("nobody is told of what they look at, and is in another window", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const anna = await tab(context, "looked");
  await turnOn(anna, heard);
  await server.say("looked", "ben", "do you see this, @anna?");
  await showing(anna, ["do you see this, @anna?"]);
  await setFocused(anna, false);
  await server.say("looked", "ben", "and this, @anna?");
  await until("only this is shown", () => titles(heard).length > 0);
  assert.deepEqual(heard.filter(({ is }) => is === "shown").map(({ body }) => body), ["and this, @anna?"]);
});

test("however many tabs are open, one sounds, and that of the room shows the notification and leads to it", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const first = await tab(context, "tabs-a");
  await turnOn(first, heard);
  const others = [];
  for (const room of ["tabs-a", "tabs-b", "tabs-c"]) others.push(await tab(context, room));
  // A room that no tab shows, and that is followed.
  await server.say("tabs-d", "ben", "hello");
  const read = await tab(context, "tabs-d");
  await until("it is read", () => read.evaluate(() => localStorage["comet-chat/read/tabs-d"]));
  await read.close();
  const pages = [first, ...others];
  for (const page of pages) await setHidden(page, true);
  await until("all are waited in", async () => (await server.waiting("tabs-a", "tabs-b", "tabs-c", "tabs-d")) === 4);
  await still(...pages);
  await server.say("tabs-b", "ben", "@anna");
  await shows(heard, "ben in tabs-b");
  await until("it sounds", () => tones(heard) === 1);
  assert.equal(heard.find(({ is }) => is === "shown").page, others[1], "the tab of the room shows it");
  // Only the first has been clicked in, so the others may not sound.
  assert.equal(heard.find(({ is }) => is === "tone").page, first);
  await clickShown(others[1]);
  assert.match(others[1].url(), /tabs-b$/);

  await server.say("tabs-d", "ben", "@anna");
  await shows(heard, "ben in tabs-b", "ben in tabs-d");
  assert.equal(heard.at(-1).page, first, "no tab has the room: the one that polls shows it");
  await clickShown(first);
  await first.waitForURL("**/chat/tabs-d");
  await showing(first, ["hello", "@anna"]);
  assert.equal(tones(heard), 1, "two sounds are some seconds apart");
});

test("what was missed while the network was cut is one notice, and what was there before is none", async () => {
  const wire = await Wire.to(server.port);
  const context = await browser(server, { name: "anna", ...DESK, origin: `http://127.0.0.1:${wire.port}` });
  const heard = await recorded(context);
  await server.say("missed", "ben", "from yesterday, @anna");
  const anna = await tab(context, "missed");
  await turnOn(anna, heard);
  await one("missed");
  await setFocused(anna, false);
  wire.cut();
  await anna.locator("#line-text", { hasText: "Reconnecting" }).waitFor();
  for (let n = 1; n <= 50; n += 1) await server.say("missed", "ben", `${n} for @anna`);
  wire.mend();
  await shows(heard, "50 messages for you in missed");
  assert.equal(heard.find(({ is }) => is === "shown").body, "ben: 50 for @anna");
  await until("it sounds", () => tones(heard) === 1);
  // A page that opens finds the same messages.
  await anna.reload();
  await hears(anna, "missed");
  await setFocused(anna, false);
  await server.say("missed", "cleo", "new, @anna");
  await shows(heard, "50 messages for you in missed", "cleo in missed");
  wire.end();
});

test("what came before another tab took over is noticed, once", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const first = await tab(context, "taken-over");
  await turnOn(first, heard);
  const second = await tab(context, "taken-over");
  await hears(second, "taken-over");
  await setFocused(second, false);
  let begin;
  const spoken = new Promise((resolve) => (begin = resolve));
  // How the second begins to poll.
  const begins = second.waitForRequest(/last=1/);
  await second.route("**/*last=1*", async (route) => {
    await spoken;
    await route.continue();
  });
  await first.close();
  await begins;
  await server.say("taken-over", "ben", "are you there, @anna?");
  begin();
  await shows(heard, "ben in taken-over");
  await server.say("taken-over", "ben", "@anna?");
  await shows(heard, "ben in taken-over", "2 messages for you in taken-over");
});

// On plain http a tab that hung takes its place back from the one that took over, and hears the same once more.
test("what two tabs hear, while both poll for a moment, is noticed once", async () => {
  const context = await browser(server);
  await sources(context);
  const page = await tab(context, "both");
  await page.evaluate(async () => {
    const { Notices } = await import("/source/notices.js");
    localStorage["comet-chat/notify"] = "true";
    const listeners = [];
    const bus = {
      on: (is, listener) => listeners.push({ is, listener }),
      post: (word) => listeners.forEach(({ is, listener }) => is === word.is && listener(word)),
    };
    globalThis.given = [];
    const open = (tab) => {
      const errands = { give: (what, { count, text }) => globalThis.given.push(`${tab}: ${count}, ${text}`) };
      return new Notices({ bus, tab, me: () => "anna", tabs: () => [{ tab, room: "both", looking: false }], errands });
    };
    globalThis.tabs = [open("first"), open("second")];
    globalThis.hear = (tab, after, id) => {
      const messages = [{ id: `e-${id}`, kind: "message", name: "ben", text: `@anna ${id}` }];
      globalThis.tabs[tab].news({ room: "both", after: `e-${after}`, messages, next: `e-${id}`, gap: false });
    };
  });
  const given = (...wanted) => showing(page, wanted, () => page.evaluate(() => globalThis.given));
  await page.evaluate(() => globalThis.hear(1, 0, 1));
  await given("second: 1, @anna 1");
  await page.evaluate(() => {
    globalThis.hear(0, 0, 1);
    globalThis.hear(0, 1, 2);
  });
  await given("second: 1, @anna 1", "first: 1, @anna 2");
});

test("a busy room sounds at most twice, and again when somebody has looked", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const anna = await tab(context, "busy");
  await turnOn(anna, heard);
  await hears(anna, "busy");
  await setFocused(anna, false);
  await still(anna);
  const speak = async (number) => {
    await server.say("busy", "ben", `${number} @anna`);
    await until(`${number} notifications`, () => titles(heard).length === number);
  };
  for (let number = 1; number <= 3; number += 1) await speak(number);
  assert.equal(tones(heard), 1, "not within four seconds");
  for (let number = 4; number <= 6; number += 1) {
    await later(anna, 4_000);
    await speak(number);
  }
  await until("it sounds", () => tones(heard) === 2);
  assert.deepEqual(heard.filter(({ is }) => is === "shown").map(({ renotify }) => renotify), [true, false, false, true, false, false]);
  await setFocused(anna, true);
  await setFocused(anna, false);
  await later(anna, 4_000);
  await speak(7);
  assert.equal(titles(heard).at(-1), "ben in busy");
  await until("it sounds", () => tones(heard) === 3);
});

test("the browser is asked by the switch alone, and its refusal is said in words", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context, { permission: "default" });
  const anna = await tab(context, "asked");
  const other = await tab(context, "asked-too");
  assert.equal(await anna.evaluate(() => globalThis.asked), undefined);
  await anna.evaluate(() => (globalThis.answer = "denied"));
  await notifications(anna).click();
  await note(anna, "notify").getByText("Your browser blocks notifications from here").waitFor();
  assert.equal(await notifications(anna).isChecked(), false);
  assert.match(await anna.locator("#announce").textContent(), /blocks notifications/);
  assert.equal(await anna.evaluate(() => globalThis.asked), 1);
  assert.deepEqual(heard, []);
  // The reader allows them in the browser's own settings.
  for (const page of [anna, other]) await page.evaluate(() => (Notification.permission = "granted"));
  await notifications(anna).check();
  await until("it shows one", () => titles(heard).length === 1);
  await until("the other tab is told", () => notifications(other).isChecked());
  assert.equal(await note(anna, "notify").textContent(), "");
  await notifications(other).uncheck();
  await until("and back", async () => !(await notifications(anna).isChecked()));
});

test("after a reload the sound waits for the first click or key, and says so", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const anna = await tab(context, "gesture");
  await sound(anna).check();
  await until("it sounds", () => tones(heard) === 1);
  await anna.reload();
  await note(anna, "sound").getByText("begins with your first click or key").waitFor();
  assert.ok(await sound(anna).isChecked());
  await anna.keyboard.press("Shift");
  await until("the words are gone", async () => (await note(anna, "sound").textContent()) === "");
  assert.equal(tones(heard), 1, "it does not sound for that");
  await hears(anna, "gesture");
  await setFocused(anna, false);
  await server.say("gesture", "ben", "@anna");
  await until("it sounds", () => tones(heard) === 2);
  assert.deepEqual(titles(heard), []);
  await sound(anna).uncheck();
  await anna.reload();
  await anna.locator("html.ready").waitFor();
  assert.equal(await note(anna, "sound").textContent(), "");
  await anna.evaluate(() => (globalThis.speechless = true));
  await sound(anna).click();
  await note(anna, "sound").getByText("does not let this page make a sound").waitFor();
  assert.equal(await sound(anna).isChecked(), false);
});

// A slow device was told that its browser lets the page make no sound, and the switch went back.
test("a device that is slow to sound for the first time sounds", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const heard = await recorded(context);
  const anna = await tab(context, "slow");
  await anna.evaluate(() => (globalThis.slow = 1_000));
  await sound(anna).check();
  await until("it sounds", () => tones(heard) === 1);
  await until("it is kept", () => anna.evaluate(() => localStorage["comet-chat/sound"]));
  assert.ok(await sound(anna).isChecked());
  assert.equal(await note(anna, "sound").textContent(), "");
});

test("on plain http the real browser sounds, and says why it shows no notification", async () => {
  const context = await browser(server, { name: "anna", ...DESK, origin: `http://chat.test:${server.port}` });
  const anna = await tab(context, "plain");
  await sound(anna).check();
  await until("it is kept", () => anna.evaluate(() => localStorage["comet-chat/sound"]));
  assert.ok(await sound(anna).isChecked());
  await notifications(anna).click();
  await note(anna, "notify").getByText("only on https").waitFor();
  assert.equal(await notifications(anna).isChecked(), false);
  assert.equal(await note(anna, "sound").textContent(), "");
});

test("with the real browser's leave notifications are on, and without it they are off", async () => {
  const context = await browser(server, { name: "anna", ...DESK });
  const anna = await tab(context, "leave");
  const session = await context.newCDPSession(anna);
  const { browserContextId } = (await session.send("Target.getTargetInfo")).targetInfo;
  const permission = { name: "notifications" };
  const { origin } = server;
  const permit = (setting) => session.send("Browser.setPermission", { permission, setting, origin, browserContextId });
  await permit("granted");
  await notifications(anna).check();
  await until("it is kept", () => anna.evaluate(() => localStorage["comet-chat/notify"]));
  assert.ok(await notifications(anna).isChecked());
  await permit("denied");
  await note(anna, "notify").getByText("Your browser blocks notifications from here").waitFor();
  assert.equal(await notifications(anna).isChecked(), false);
  await permit("granted");
  await until("they are on again", () => notifications(anna).isChecked());
});

test("switches and choices are used by keyboard alone, on a small phone, and axe finds nothing", async () => {
  const options = { name: "anna", viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };
  const context = await browser(server, { ...options, ...FOR_AXE, forcedColors: "active" });
  const heard = await recorded(context);
  await server.say("keys", "ben", "hello");
  const anna = await tab(context, "keys");
  const { keyboard } = anna;
  const label = () => anna.evaluate(() => document.activeElement.labels?.[0]?.textContent.trim() ?? document.activeElement.ariaLabel);
  const reach = async (name, key = "Tab") => {
    for (let n = 0; n < 40 && (await label()) !== name; n += 1) await keyboard.press(key);
    assert.equal(await label(), name);
  };
  await anna.locator("#rooms-button").focus();
  await keyboard.press("Enter");
  await reach("Mute or leave keys");
  await keyboard.press("Enter");
  await reach("Mentions and quotes");
  await keyboard.press("ArrowUp");
  assert.equal(await label(), "All messages");
  assert.equal(await anna.evaluate(() => localStorage["comet-chat/all/keys"]), "true");
  await reach("Sound");
  await keyboard.press("Space");
  await until("it sounds", () => tones(heard) === 1);
  await reach("Notifications");
  await keyboard.press("Space");
  await until("it is shown", () => titles(heard).length === 1);
  assert.deepEqual(await violations(anna), []);
  assert.equal(await sound(anna).evaluate((box) => getComputedStyle(box).appearance), "auto");
  const fits = await anna.locator("#rooms").evaluate((panel) => panel.scrollWidth <= panel.clientWidth);
  assert.ok(fits, "nothing is cut off at the side");
  // At 400 %, nothing covers another: the panel scrolls.
  await anna.setViewportSize({ width: 320, height: 256 });
  await notifications(anna).scrollIntoViewIfNeeded();
  const top = await anna.locator("#notices").evaluate((node) => node.getBoundingClientRect().top);
  const bottom = await anna.locator("#room-list").evaluate((node) => node.getBoundingClientRect().bottom);
  assert.ok(bottom <= top + 1);
  // And the phone hears of it.
  await keyboard.press("Escape");
  await setHidden(anna, true);
  await server.say("keys", "ben", "to nobody");
  await until("it is shown", () => titles(heard).at(-1) === "ben in keys");
});
