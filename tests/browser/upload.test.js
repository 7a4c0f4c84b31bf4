// Pictures and files: chosen, pasted and dropped, shown, opened large, and sent through a network that is cut.

import assert from "node:assert/strict";

import { FOR_AXE, violations } from "./axe.js";
import { act, browser, say, sent, showing, tab, test, until } from "./browser.js";
import { Server } from "./server.js";

const server = await Server.common();

/** A picture that the browser makes, with what a camera adds: where it was taken, and that it was held upright. */
async function photo(page, width = 600, height = 400) {
  const data = await page.evaluate(
    async ([width, height]) => {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width, height });
      const context = canvas.getContext("2d");
      context.fillStyle = "#c33";
      context.fillRect(0, 0, width / 2, height);
      return canvas.toDataURL("image/jpeg").split(",")[1];
    },
    [width, height],
  );
  const plain = Buffer.from(data, "base64");
  const exif = Buffer.concat([
    Buffer.from("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", "latin1"),
    Buffer.from("GPS 52.5200 N 13.4050 E"),
  ]);
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, exif.length + 2]), exif]);
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, 16]), Buffer.from("by anna's hand")]);
  return Buffer.concat([plain.subarray(0, 2), segment, comment, plain.subarray(2), Buffer.from("a film behind it, from 52.5200 N")]);
}

/** Hands files to a page, as a paste or a drop does. */
const hand = (page, kind, files) =>
  page.evaluate(
    ([kind, files]) => {
      const data = new DataTransfer();
      for (const { name, type, bytes } of files)
        data.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name, { type }));
      const target = document.getElementById("message");
      const details = { bubbles: true, cancelable: true };
      if (kind === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...details, clipboardData: data }));
      else for (const type of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { ...details, dataTransfer: data }));
    },
    [kind, files.map(({ buffer, ...file }) => ({ ...file, bytes: buffer.toString("base64") }))],
  );

const file = (name, type, buffer) => ({ name, type, mimeType: type, buffer });
const chips = (page) => page.locator("#attached li bdi").allTextContents();
const chosen = (page, names) => showing(page, names, chips);
const said = async (room) => (await server.all(room)).filter(({ kind }) => kind === "message");

/** How many files the browser of a page keeps. */
const kept = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("comet-chat/files");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const counting = opening.result.transaction("files").objectStore("files").count();
          counting.onsuccess = () => {
            opening.result.close();
            resolve(counting.result);
          };
        };
      }),
  );

/** What the server has of a message's file. */
async function bytesOf({ file }) {
  return Buffer.from(await (await fetch(server.direct + file.path)).arrayBuffer());
}

test("pictures and files come by choice, paste and drop, without what a camera knows, and open large", async () => {
  const anna = await tab(await browser(server, { name: "anna", ...FOR_AXE }), "files");
  const ben = await tab(await browser(server, { name: "ben" }), "files");
  const picture = await photo(anna);
  assert.ok(picture.includes("52.5200"));
  await anna.locator("#file").setInputFiles([file("from a camera.jpg", "image/jpeg", picture), file("notes.txt", "text/plain", Buffer.from("hello"))]);
  await chosen(anna, ["from a camera.jpg", "notes.txt"]);
  assert.deepEqual(await violations(anna), []);
  await anna.getByRole("button", { name: "Remove notes.txt" }).press("Enter");
  await chosen(anna, ["from a camera.jpg"]);
  await say(anna, "look");
  await sent(anna);
  assert.equal(await anna.locator("#attached").isVisible(), false);
  await hand(anna, "paste", [file("pasted.png", "image/png", await anna.locator("#send").screenshot())]);
  await chosen(anna, ["pasted.png"]);
  await hand(anna, "drop", [file("größe & co.bin", "", Buffer.from([0, 1, 255]))]);
  await chosen(anna, ["pasted.png", "größe & co.bin"]);
  await anna.locator("#message").press("Enter");
  await sent(anna);

  const messages = await said("files");
  assert.deepEqual(messages.map(({ text, file }) => [text, file.name, file.type]), [
    ["look", "from a camera.jpg", "image/jpeg"],
    ["", "pasted.png", "image/png"],
    ["", "größe & co.bin", "application/octet-stream"],
  ]);
  // As it was held: upright.
  assert.deepEqual([messages[0].file.width, messages[0].file.height], [400, 600]);
  const stored = await bytesOf(messages[0]);
  for (const secret of ["52.5200", "GPS", "anna", "film"]) assert.equal(stored.includes(secret), false, secret);
  assert.ok(stored.length > 0.9 * (picture.length - 120), "it was not drawn anew");

  for (const page of [anna, ben]) {
    await until("all pictures are there", () => page.locator("img[alt]").evaluateAll((all) => all.filter((img) => img.closest(".row") && img.complete && img.naturalWidth > 0).length === 2));
    const shown = page.getByRole("img", { name: "from a camera.jpg" });
    assert.deepEqual(await shown.evaluate((img) => [img.naturalWidth, img.naturalHeight, img.offsetWidth, img.offsetHeight]), [400, 600, 213, 320]);
    assert.equal(await page.locator(".row a.file").getAttribute("download"), "größe & co.bin");
  }
  assert.deepEqual(await violations(anna), []);
  const [saved] = await Promise.all([ben.waitForEvent("download"), ben.locator(".row a.file").click()]);
  assert.equal(saved.suggestedFilename(), "größe & co.bin");
  const part = await ben.evaluate(async (path) => {
    const reply = await fetch(path, { headers: { Range: "bytes=-2" } });
    return [reply.status, ...new Uint8Array(await reply.arrayBuffer())];
  }, messages[2].file.path);
  assert.deepEqual(part, [206, 1, 255], "a player may begin in the middle");

  // By keyboard.
  await ben.locator(".row a.picture").first().focus();
  await ben.keyboard.press("Enter");
  await ben.locator("#picture[open]").waitFor();
  assert.equal(await ben.locator("#picture-title").textContent(), "from a camera.jpg");
  await until("it is large", () => ben.locator("#picture-image").evaluate((img) => img.complete && img.offsetHeight > 500));
  await ben.keyboard.press("Escape");
  await until("it is closed", async () => !(await ben.locator("#picture").isVisible()));
  assert.equal(await ben.evaluate(() => document.activeElement.className), "picture");

  // A quote of nothing but a file, and a deletion that takes the file along.
  await act(ben.locator(".row", { has: ben.getByRole("img", { name: "pasted.png" }) }), "Reply");
  await say(ben, "nice");
  await until("the quote names it", async () => /pasted\.png$/.test(await anna.locator(".quote").textContent()));
  await sent(ben);
  await act(anna.locator(".row", { has: anna.getByRole("img", { name: "pasted.png" }) }), "Delete");
  await anna.locator("#ask-yes").click();
  for (const page of [anna, ben]) await until("it is gone", async () => (await page.getByRole("img", { name: "pasted.png" }).count()) === 0);
  assert.equal((await fetch(server.direct + messages[1].file.path)).status, 404);

  // Whoever comes later finds the same, and nothing moves when the pictures come.
  let begin;
  const begun = new Promise((resolve) => (begin = resolve));
  await ben.route("**/file/**", (route) => begun.then(() => route.continue()));
  await ben.reload({ waitUntil: "domcontentloaded" });
  await ben.locator("html.ready").waitFor();
  // From the end of the last message: whoever comes meanwhile is a line below that, and moves all of them.
  const top = () =>
    ben.evaluate(() => {
      const last = [...document.querySelectorAll(".row.message")].at(-1);
      return document.querySelector(".row .picture img").getBoundingClientRect().top - last.getBoundingClientRect().bottom;
    });
  const empty = () => ben.getByRole("img", { name: "from a camera.jpg" }).evaluate((img) => !img.complete && img.offsetHeight === 320);
  let before;
  await until("the page stands, without pictures", async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return (await empty()) && before === (before = await top());
  });
  begin();
  await until("it is shown again", () => ben.getByRole("img", { name: "from a camera.jpg" }).evaluate((img) => img.complete && img.naturalWidth > 0));
  const moved = (await top()) - before;
  assert.ok(Math.abs(moved) < 1, `it moved by ${moved}`);
  const plain = await (await browser(server, { javaScriptEnabled: false })).newPage();
  await plain.goto(`${server.origin}/chat/files?view=backlog`);
  assert.equal(await plain.getByRole("img", { name: "from a camera.jpg" }).getAttribute("height"), "320");
  assert.equal(await plain.locator("a.file").textContent(), "größe & co.bin");
});

test("a file waits for the network, survives a reload, and comes once", async () => {
  const context = await browser(server, { name: "anna" });
  const anna = await tab(context, "waits");
  const ben = await tab(await browser(server, { name: "ben" }), "waits");
  const large = Buffer.alloc(3_000_000, "x");
  await context.setOffline(true);
  await anna.locator("#file").setInputFiles(file("large.bin", "", large));
  await chosen(anna, ["large.bin"]);
  await say(anna, "with a file");
  await anna.locator("#outbox .file").getByText("large.bin").waitFor();
  await anna.locator("#outbox progress").waitFor();
  // In the middle of it: what the server has got, its answer is lost.
  let cut = 0;
  await context.route("**/chat/waits", async (route) => {
    if (route.request().method() !== "POST" || cut > 0) return route.fallback();
    cut += 1;
    await route.fetch();
    await route.abort();
  });
  await context.setOffline(false);
  await until("it was cut", () => cut === 1);
  await showing(ben, ["with a file"]);
  await sent(anna);
  await ben.locator(".row a.file").getByText("large.bin").waitFor();
  const [message, ...others] = await said("waits");
  assert.deepEqual(others, [], "it was published once");
  assert.ok((await bytesOf(message)).equals(large));

  await context.setOffline(true);
  await anna.locator("#file").setInputFiles(file("kept.bin", "", Buffer.from("kept")));
  await chosen(anna, ["kept.bin"]);
  await anna.locator("#message").press("Enter");
  await anna.locator("#outbox .file").getByText("kept.bin").waitFor();
  await until("the browser keeps it", () => kept(anna));
  // The page goes, and comes back when the network does.
  await anna.close();
  await context.setOffline(false);
  const again = await tab(context, "waits");
  await again.locator("#log .row a.file").getByText("kept.bin").waitFor();
  await sent(again);
  assert.equal((await bytesOf((await said("waits"))[1])).toString(), "kept");
});

test("who leaves while the tab has the only copy of a file is asked first", async () => {
  const context = await browser(server, { name: "anna" });
  // A browser that keeps nothing, as some private windows.
  await context.addInitScript(() => (IDBFactory.prototype.open = () => { throw new Error("it keeps nothing"); }));
  const anna = await tab(context, "only-copy");
  await context.setOffline(true);
  await anna.locator("#file").setInputFiles(file("only.bin", "", Buffer.from("only")));
  await chosen(anna, ["only.bin"]);
  await anna.locator("#message").press("Enter");
  await anna.locator("#outbox .file").getByText("only.bin").waitFor();
  await anna.close({ runBeforeUnload: true });
  await until("the browser asks", () => context.faults.pop() === "a dialog opened: beforeunload ");
  await context.setOffline(false);
  await sent(anna);
  await anna.locator("#log .row a.file").getByText("only.bin").waitFor();
  await anna.close({ runBeforeUnload: true });
  await until("it goes", () => anna.isClosed());
});

test("what can't be sent is told, and on small screens, in forced colours and from right to left all can be reached", async () => {
  const options = { name: "anna", ...FOR_AXE, viewport: { width: 320, height: 568 }, forcedColors: "active" };
  const anna = await tab(await browser(server, options), "small");
  await anna.evaluate(() => (document.documentElement.dir = "rtl"));
  await anna.locator("#file").setInputFiles(file("huge.bin", "", Buffer.alloc(10_500_000)));
  await anna.locator("#message-error").getByText("this server takes 10.5 MB").waitFor();
  await anna.locator("#file").setInputFiles(file("a.heic", "image/heic", Buffer.from("\0\0\0\x18ftypheic\0\0\0\0")));
  await anna.locator("#message-error").getByText("Save it as JPEG or PNG first").waitFor();
  await anna.locator("#file").setInputFiles(file(`${"long-name-".repeat(9)}.jpg`, "image/jpeg", await photo(anna)));
  await until("it is chosen", async () => (await chips(anna)).length === 1);
  const fits = () => anna.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.getElementById("log").scrollWidth <= innerWidth);
  assert.ok(await fits());
  assert.deepEqual(await violations(anna), []);
  await anna.locator("#attach").focus();
  await anna.keyboard.press("Tab");
  assert.equal(await anna.evaluate(() => document.activeElement.id), "send");
  await anna.keyboard.press("Enter");
  await sent(anna);
  assert.ok(await fits());
  await anna.locator(".row a.picture").click();
  await anna.locator("#picture[open]").waitFor();
  assert.deepEqual(await violations(anna), []);
  const within = await anna.locator("#picture").evaluate((dialog) => {
    const { top, left, bottom, right } = dialog.getBoundingClientRect();
    return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth && dialog.scrollWidth <= dialog.clientWidth;
  });
  assert.ok(within, "all of it is in view");
  await anna.locator("#picture-close").click();
});
