// Code between backticks, and what somebody does.

import assert from "node:assert/strict";

import { FOR_AXE, violations } from "./axe.js";
import { PHONE, browser, newSeed, say, sent, showing, shown, sources, tab, test, until } from "./browser.js";
import { randomFrom } from "./chance.js";
import { Server } from "./server.js";

const server = await Server.common();

const BLOCK = "see\n```rust\nfn main() {\n    let a = 1; // https://example.org @anna\n}\n```\nand `this one`";

/** What is shown as code, and what of it as a block. */
const codeIn = (row) =>
  row.locator("code").evaluateAll((nodes) => {
    const seen = (node) => [...node.childNodes].filter((part) => part.className !== "mark");
    const textOf = (node) => seen(node).map(({ textContent }) => textContent).join("");
    return nodes.map((node) => [textOf(node), node.matches(".block")]);
  });

test("code is shown as code to both, is no link, and is copied as it was written", async () => {
  const context = await browser(server, { name: "anna", permissions: ["clipboard-read", "clipboard-write"] });
  const anna = await tab(context, "code");
  const ben = await tab(await browser(server, { name: "ben" }), "code");
  await ben.locator("#message").fill(BLOCK);
  await ben.locator("#message").press("Enter");
  await sent(ben);
  await showing(anna, [BLOCK]);
  for (const page of [anna, ben]) {
    const row = page.locator("#log .row.message");
    assert.deepEqual(await codeIn(row), [
      ["fn main() {\n    let a = 1; // https://example.org @anna\n}", true],
      ["this one", false],
    ]);
    assert.equal(await row.locator("a, .mention").count(), 0);
    assert.ok(await row.locator("code").first().evaluate((node) => /monospace/.test(getComputedStyle(node).fontFamily)));
  }
  assert.equal(await anna.locator("#log .to-me").count(), 0, "nobody speaks to anna");
  // The lines of the backticks have no height, and an empty line has one.
  const height = (await anna.locator("#log .block").boundingBox()).height;
  await server.say("code", "cleo", "```\nfn main() {\n\n}\n```");
  await until("it is there", async () => (await anna.locator("#log .block").count()) === 2);
  assert.equal((await anna.locator("#log .block").last().boundingBox()).height, height);

  const copied = (select) => async () => {
    await anna.evaluate(select);
    await anna.keyboard.press("Control+C");
    return anna.evaluate(() => navigator.clipboard.readText());
  };
  const whole = copied(() => document.getSelection().selectAllChildren(document.querySelector("#log .text")));
  assert.equal(await whole(), BLOCK);
  const code = copied(() => document.getSelection().selectAllChildren(document.querySelector("#log .block > span:not(.mark)")));
  assert.equal(await code(), "fn main() {\n    let a = 1; // https://example.org @anna\n}");
  const all = copied(() => document.getSelection().selectAllChildren(document.querySelector("#log .messages")));
  assert.match(await all(), /ben[^]*```rust\n[^]*`this one`[^]*fn main/, "of several messages all that is written");
});

test("wide code scrolls in itself, by the keyboard too, and axe finds nothing serious", async () => {
  const wide = `\`\`\`\n${"wide ".repeat(60)}\n\`\`\``;
  await server.say("wide", "ben", `look: \`${"y".repeat(300)}\` and\n${wide}`);
  await server.say("wide", "ben", `\`\`\`\n${"one more line of code that is wide enough\n".repeat(200)}\`\`\``);
  for (const colorScheme of ["light", "dark"]) {
    const options = { ...PHONE, ...FOR_AXE, colorScheme, viewport: { width: 320, height: 700 }, name: "anna" };
    const page = await tab(await browser(server, options), "wide");
    await page.getByRole("button", { name: "Show all of it" }).tap();
    await page.getByRole("button", { name: "Show less" }).waitFor();
    assert.equal(await page.locator("#log .block").count(), 2, "a long block is one");
    const isWide = (node) => node.scrollWidth > node.clientWidth;
    for (const selector of ["#log", "#log .bubble >> nth=0", "#log .bubble >> nth=1"])
      assert.equal(await page.locator(selector).evaluate(isWide), false, selector);
    const block = page.locator("#log .block").first();
    assert.ok(await block.evaluate(isWide));
    await block.focus();
    await page.keyboard.press("ArrowRight");
    await until("it scrolls", () => block.evaluate((node) => node.scrollLeft > 0));
    assert.deepEqual(await violations(page), []);
  }
});

test("what somebody does is told as a sentence, to both, in the list and by a screen reader", async () => {
  const anna = await tab(await browser(server, { name: "anna" }), "action");
  const ben = await tab(await browser(server, { name: "ben" }), "action");
  await say(ben, "/me waves at @anna, twice");
  await sent(ben);
  await showing(anna, ["/me waves at @anna, twice"]);
  for (const page of [anna, ben]) {
    const row = page.locator("#log .row.action");
    assert.equal(await row.locator(".who").innerText(), "ben");
    const parts = await row.locator(".text").evaluate((text) =>
      [...text.childNodes].filter((part) => part.className !== "mark").map(({ textContent }) => textContent),
    );
    assert.equal(parts.join(""), "waves at @anna, twice");
    assert.ok(await row.locator(".mark").evaluate((mark) => mark.getBoundingClientRect().width === 0));
    assert.equal(await row.locator(".mention").count(), 1);
  }
  assert.equal(await anna.locator("#announce").textContent(), "ben waves at @anna, twice");
  assert.equal(await anna.locator("#log .to-me").count(), 1);
  await say(ben, "said");
  await sent(ben);
  const first = ben.locator("#log .row.message", { hasText: "said" });
  assert.ok(await first.evaluate((row) => row.classList.contains("first")), "an action stands alone");
  assert.deepEqual(await server.said("action"), ["/me waves at @anna, twice", "said"], "the wire has it as it was written");
});

// The server's HTML is what a browser without scripts shows, and what the script takes the texts from.
test("the list without scripts shows the same, whatever the text is", async () => {
  const random = randomFrom(newSeed());
  const some = ["`", "``", "```", "```js\n", "\n```", "\n", " ", "a", "don`t", "字", "/me ", "see", "\u0301", "x = 1", "😀"];
  const texts = ["/me does `this`", BLOCK, "```\n\n```", "``` a\n```\n\n"];
  while (texts.length < 40) texts.push(Array.from({ length: 1 + random(12) }, () => some[random(some.length)]).join(""));
  const long = "`a` and ```\nlet a = 1;\n``` ".repeat(800);
  const visible = texts.filter((text) => /[\p{L}`'/]/u.test(text));
  for (const text of [...visible, long]) await server.say("same", "ben", text);
  const context = await browser(server, { name: "anna" });
  await sources(context);
  const page = await tab(context, "same");
  const plain = await (await browser(server, { javaScriptEnabled: false })).newPage();
  await plain.goto(`${server.origin}/chat/same?view=backlog`);
  const theirs = await plain.locator(".row.message").evaluateAll((rows) =>
    rows.map((row) => ({
      text: row.querySelector(".text").textContent,
      isAction: row.matches(".action"),
      code: [...row.querySelectorAll("code")].map((node) => [node.textContent, node.className]),
    })),
  );
  const differ = await page.evaluate(async (theirs) => {
    const { codeIn } = await import("/source/code.js");
    const { isAction } = await import("/source/text.js");
    return theirs.filter(({ text, code, ...row }) => {
      const ours = codeIn(text).map(({ start, end, isBlock }) => [text.slice(start, end), isBlock ? "block" : ""]);
      // Code that stands in two pieces is two elements.
      const same = text.length < 4096 ? JSON.stringify(code) === JSON.stringify(ours) : code.length >= ours.length;
      return !same || isAction(text) !== row.isAction;
    });
  }, theirs);
  assert.deepEqual(differ, []);
  assert.deepEqual(theirs.map(({ text }) => text), [...visible, long]);
  assert.deepEqual((await shown(page)).slice(0, -1), visible, "and the script takes each text whole");
});
