// The page in each of its languages: nothing is cut, and Arabic goes from right to left.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";

import { FOR_AXE, violations } from "./axe.js";
import { browser, say, sent, sources, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

const folder = new URL("../../src/page/phrases/", import.meta.url);
const languages = readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
const phrasesIn = (language) => JSON.parse(readFileSync(new URL(`${language}.json`, folder), "utf8"));

test("a phrase with a number has the forms that its language tells apart, and no other", () => {
  for (const language of languages) {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, phrase] of Object.entries(phrasesIn(language)))
      if (typeof phrase === "object") assert.deepEqual(Object.keys(phrase).sort(), [...pluralCategories].sort(), `${language}: ${key}`);
  }
});

test("a later visit writes hours and numbers by what the first has kept, and as it did", async () => {
  for (const locale of ["en-US", "de-DE", "fr-CA", "ar-EG", "ja-JP"]) {
    const context = await browser(server, { locale });
    await sources(context);
    const written = async (isFirst) => {
      const page = await tab(context, "forms");
      // The page keeps them once, after it is painted.
      await until("the page has kept its own", () => page.evaluate(() => localStorage.getItem("comet-chat/forms") !== null));
      const all = await page.evaluate(async (isFirst) => {
        if (isFirst) localStorage.removeItem("comet-chat/forms");
        const { clock, hasForms, keepForms, number } = await import("/source/locale.js");
        if (hasForms() === isFirst) throw new Error("it was kept too early, or not");
        const all = [0, 7, 42, 305, 999, 1_000, 1.5, -1].map(number);
        for (let minutes = 0; minutes < 24 * 60; minutes += 7) all.push(clock(new Date(2026, 5, 1, 0, minutes).toISOString()));
        keepForms();
        return all;
      }, isFirst);
      await page.close();
      return all;
    };
    assert.deepEqual(await written(true), await written(false), locale);
  }
});

/** What reaches out of the page, or out of a box that does not scroll. */
const outside = () =>
  [...document.querySelectorAll("body *")]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".unseen, svg"))
    .filter((node) => {
      const { left, right, width } = node.getBoundingClientRect();
      return width > 0 && (left < -1 || right > innerWidth + 1);
    })
    .map((node) => node.outerHTML.slice(0, 200));

for (const language of languages) {
  test(`the page speaks ${language}, and all of it fits on the smallest screen`, async () => {
    const { direction, ...phrases } = phrasesIn(language);
    const options = { ...FOR_AXE, locale: language, name: "anna", viewport: { width: 320, height: 640 } };
    const room = `speaks-${language}`;
    for (const name of ["ben", "cleo", "dora"]) await server.join(room, name);
    const { id } = await server.say(room, "ben", "hi @anna");
    await server.answer(room, "cleo", "شكرا 🎉 thank you", id);
    const context = await browser(server, options);
    const page = await tab(context, room);
    await say(page, "one of my own");
    await sent(page);
    const { lang, dir } = await page.locator("html").evaluate(({ lang, dir }) => ({ lang, dir }));
    assert.deepEqual({ lang, dir }, { lang: language, dir: direction });
    // All that is filled in is filled in, and no key is shown for a phrase.
    const words = await page.locator("body").evaluate((body) => body.innerText);
    assert.doesNotMatch(words, /\{\w+\}|\b(?:people|message|presence|line|room)\.[a-z]/);

    const looks = async (what) => {
      assert.deepEqual(await page.evaluate(outside), [], what);
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${language}-${what}.png` });
    };
    await looks("room");
    assert.deepEqual(await violations(page), []);
    // Who leaves now is a line that moves the message away from the pointer.
    await until("what can be done is shown", async () => {
      await page.locator("#log .row.own .bubble").last().hover();
      return page.locator(".actions").isVisible();
    });
    await looks("actions");
    for (const [button, panel] of [["rooms-button", "rooms"], ["people-button", "people"]]) {
      await page.locator(`#${button}`).click();
      await page.locator(`#${panel}`).waitFor();
      if (panel === "rooms") await page.locator("#room-list .more").first().click();
      await looks(panel);
      await page.locator(`#${panel} .close`).click();
    }
    for (const dialog of ["search", "share"]) {
      await page.locator(`#${dialog}-button`).click();
      await page.locator(`#${dialog}[open]`).waitFor();
      if (dialog === "search") {
        await page.locator("#search-words").fill("hi");
        await page.keyboard.press("Enter");
        await until("it is found", () => page.locator("#search-found li").count());
      }
      await looks(dialog);
      await page.locator(`#${dialog}-close`).click();
    }

    await context.setOffline(true);
    await page.locator("#line-text", { hasText: phrases["line.offline"] }).waitFor();
    await looks("offline");
    await context.setOffline(false);

    await page.goto(`${server.origin}/nowhere`);
    assert.equal(await page.locator("h1").textContent(), phrases["refused.nothing"]);
    await looks("refused");
    assert.deepEqual(await violations(page), []);
  });
}

test("in Arabic the page is laid out from the right, and each message goes its own way", async () => {
  const room = "right";
  await server.say(room, "ben", "from the left");
  await server.say(room, "منى", "من اليمين");
  const page = await tab(await browser(server, { name: "anna", locale: "ar-EG" }), room);
  await say(page, "my own");
  await sent(page);
  const box = (selector) => page.locator(selector).evaluate((node) => node.getBoundingClientRect().toJSON());
  const { left, right } = await box("#column");
  const middle = (left + right) / 2;
  // Others' messages begin at the right, the reader's own stand at the left.
  assert.ok((await box("#log .row.message:not(.own) .bubble >> nth=0")).left > middle - 200);
  assert.ok((await box("#log .row.own .bubble")).left < middle);
  assert.ok((await box("#rooms-button, #bar h1 >> nth=0")).left > (await box("#people-button")).left);
  const directions = await page.locator("#log .row.message .text").evaluateAll((texts) => texts.map((text) => getComputedStyle(text).direction));
  assert.deepEqual(directions, ["ltr", "rtl", "ltr"]);
  // The arrow of a reply points to where the line began.
  await page.locator("#log .row.message .bubble").first().hover();
  const reply = page.locator(".actions .sign.reply");
  assert.equal(await reply.evaluate((sign) => getComputedStyle(sign).scale), "-1 1");
});
