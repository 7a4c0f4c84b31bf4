// The key by which this browser holds its reader's name: nobody without it can speak under that name meanwhile. It is
// drawn once. All tabs have the same, and it goes nowhere but to the server.

import { keep, recall } from "./kept.js";

/** 128 random bits. `crypto.randomUUID` is missing on plain http. */
export function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function key() {
  const known = recall("key");
  if (typeof known === "string" && /^[!-~]{16,128}$/.test(known)) return known;
  keep("key", random());
  // Another tab may have drawn one just now.
  return recall("key");
}
