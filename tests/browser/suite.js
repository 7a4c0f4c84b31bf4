// Runs every test of the page, one after the other, in one Chromium.
//
//   node suite.js [TOPIC...]        default: all; the topics are *.test.js

import { readdirSync } from "node:fs";
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

const files = readdirSync(new URL(".", import.meta.url)).sort();
const all = files.filter((file) => file.endsWith(".test.js")).map((file) => file.slice(0, -".test.js".length));
for (const topic of process.argv.length > 2 ? process.argv.slice(2) : all) await import(`./${topic}.test.js`);
