// The files that wait in this browser to be sent. A browser that keeps none, as some private windows, has them as long as
// this tab is open.

import { OWN } from "./site.js";

/** What nobody has sent for so long is forgotten, in milliseconds: seven days. */
const LONG = 7 * 24 * 60 * 60 * 1000;

const here = new Map();
/** Those of which this tab has the only copy: the browser has not kept them yet, or keeps none. */
const unkept = new Set();
let opening = null;

addEventListener("beforeunload", (event) => {
  // The browser asks then.
  if (unkept.size > 0) event.preventDefault();
});

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(`${OWN}/files`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("files");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }).then(tidy);
  return opening;
}

function tidy(database) {
  const search = database.transaction("files", "readwrite").objectStore("files").openCursor();
  search.onsuccess = () => {
    const found = search.result;
    if (!found) return;
    if (Date.now() - found.value.at > LONG) found.delete();
    found.continue();
  };
  return database;
}

async function ask(mode, question) {
  const transaction = (await open()).transaction("files", mode);
  const request = question(transaction.objectStore("files"));
  // A transaction that waits for its page to have nothing more to ask is undone if the page goes before.
  transaction.commit?.();
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Keeps a file under a key. */
export function keepFile(key, blob) {
  here.set(key, blob);
  unkept.add(key);
  const kept = ask("readwrite", (files) => files.put({ blob, at: Date.now() }, key));
  kept.then(() => unkept.delete(key)).catch(() => {});
}

/** The file of this key, or undefined. */
export async function fileOf(key) {
  if (here.has(key)) return here.get(key);
  const found = await ask("readonly", (files) => files.get(key)).catch(() => undefined);
  return found?.blob;
}

export function forgetFile(key) {
  here.delete(key);
  unkept.delete(key);
  ask("readwrite", (files) => files.delete(key)).catch(() => {});
}
