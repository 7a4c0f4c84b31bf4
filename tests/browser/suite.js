// Runs every test of the page, one after the other, in one Chromium.

import { after, afterEach, before } from "node:test";
import assert from "node:assert/strict";

import { closeBrowsers, endChromium, startChromium } from "./browser.js";
import { endServers } from "./server.js";

before(startChromium);
after(endChromium);
after(endServers);
afterEach(async () => {
  const faults = await closeBrowsers();
  assert.deepEqual(faults, [], "the page breaks nothing and asks for nothing that its policy forbids");
});

const topics = ["chat", "tabs", "loss", "limits", "text", "history", "rooms", "followed", "model", "access", "plain", "old", "stream", "weight"];
for (const topic of process.argv.length > 2 ? process.argv.slice(2) : topics)
  await import(`./${topic}.test.js`);
