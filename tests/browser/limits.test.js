// The server accepts what the page lets through, and a message that can't be sent can be edited.

import assert from "node:assert/strict";

import { browser, newSeed, say, sent, showing, sources, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** Sends a text that no keyboard types. */
function paste(page, text) {
  // Half a character does not pass through the driver.
  return page.locator("#message").evaluate((input, units) => {
    input.value = units.map((unit) => String.fromCharCode(unit)).join("");
    input.dispatchEvent(new Event("input"));
    input.form.requestSubmit();
  }, Array.from({ length: text.length }, (_, n) => text.charCodeAt(n)));
}

// The page let 60,000 bytes of short lines and 40,000 quotes through, and the server refused them: the page
// measured the text, the server the JSON around it. Trying again could never help.
test("a message of exactly the limit is sent, whatever is in it, and the page refuses one byte more", async () => {
  const page = await tab(await browser(server, { name: "anna" }), "limit");
  const limit = 65_536;
  for (const some of ["a\n", '"', "\\", "\u0001", "字", "🎉"]) {
    const text = some.repeat(Math.floor((limit - 1) / Buffer.byteLength(some)));
    const exact = text + "x".repeat(limit - Buffer.byteLength(text));
    await paste(page, `${exact}x`);
    await page.getByText("This is 1 byte too long for one message.").waitFor();
    await paste(page, exact);
    await sent(page);
    assert.equal(await page.locator("#outbox .row").count(), 0);
    assert.ok((await server.said("limit")).at(-1) === exact, `${JSON.stringify(some)} arrives whole`);
  }
});

test("half a character, as scripts paste it, does not stop the messages after it", async () => {
  const page = await tab(await browser(server, { name: "anna" }), "half");
  await paste(page, "half \ud83d");
  await say(page, "whole");
  await sent(page);
  assert.deepEqual(await server.said("half"), ["half \ufffd", "whole"]);
});

test("a message that was refused is taken back and changed", async () => {
  const context = await browser(server, { name: "anna" });
  const page = await tab(context, "edit");
  let refuse = true;
  await context.route("**/chat/edit*", (route) => {
    if (route.request().method() !== "POST" || !refuse) return route.continue();
    return route.fulfill({
      status: 413,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "urn:comet-chat:message-too-large", detail: "Too much." }),
    });
  });
  await say(page, "too much");
  await page.locator(".failure").getByText("The message is too long").waitFor();
  await page.locator("#message").fill("half a thought");
  refuse = false;
  await page.getByRole("button", { name: "Edit" }).click();
  const message = page.locator("#message");
  assert.equal(await message.inputValue(), "too much\nhalf a thought");
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  await message.fill("less");
  await message.press("Enter");
  await showing(page, ["less"]);
  await sent(page);
  assert.deepEqual(await server.said("edit"), ["less"]);
});

// The page let a name through with a character that changes the direction of text, and then every poll and
// every message was refused. And it refused a room's name with a joiner, which the server accepts.
test("the page and the server agree on every name and on what is empty", async () => {
  const context = await browser(server, { name: "anna" });
  await sources(context);
  const page = await tab(context, "agree");
  const seed = newSeed();
  const differ = await page.evaluate(async (start) => {
    const { isRoomName, isSeen, nameFault } = await import("/source/limits.js");
    const random = (await import("/source/chance.js")).randomFrom(start);
    const some = [
      ..."a é 字 🎉 ß م ක ් - _ . , / ( ② ⅷ 👩🏽".split(" "),
      ..."\u0301 \u200c \u200d \ufe0f \u200b \u200e \u202e \u2066 \u3164 \u2800 \xad \u034f \u180e \u115f \u1160 \uffa0 \u180b \u0001 \x7f".split(" "),
      " ",
      "\t",
      "\xa0",
    ];
    const texts = [...some, "", ".", "..", "a".repeat(64), "a".repeat(65), "🎉".repeat(64), "🎉".repeat(65)];
    for (let n = 0; n < 300; n += 1)
      texts.push(Array.from({ length: 1 + random(4) }, () => some[random(some.length)]).join(""));
    const takes = async (path, options) => {
      const status = (await fetch(path, { headers: { Accept: "application/json" }, ...options })).status;
      return status < 300;
    };
    const same = async (text) => {
      const name = text.trim().normalize("NFC");
      const asName = takes("/chat/agree/leave", { method: "POST", body: new URLSearchParams({ name }) });
      const room = text.normalize("NFC");
      // A comma stands between rooms, and "a,a" is one.
      const isOne = room !== "" && !/^\.\.?$|,/.test(room);
      const path = isOne && `/chat/${encodeURIComponent(room)}/history`;
      const asRoom = path && takes(path);
      const asText = takes("/chat/agree-said", { method: "POST", body: text });
      const verdicts = [await asName, await asRoom, await asText];
      const ours = [nameFault(name) === null, isRoomName(room), isSeen(text)];
      return String(verdicts) === String(ours) ? null : [text, verdicts, ours];
    };
    return (await Promise.all(texts.map(same))).filter(Boolean);
  }, seed);
  assert.deepEqual(differ, [], "text, the server's verdict, the page's");
});

test("if an earlier page accepted a bad name, the page asks for another", async () => {
  const page = await tab(await browser(server, { name: "ann\u202ea" }), "renamed");
  await page.locator("#name").fill("b\u200bob");
  await page.locator("#name").press("Enter");
  await page.getByText("a character that nobody can see").waitFor();
  await page.locator("#name").fill("bob");
  await say(page, "here");
  await sent(page);
  await until("under the new name", async () => (await server.all("renamed")).some(({ name }) => name === "bob"));
});
