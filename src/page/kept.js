// What this browser keeps between visits: the name, what was read, and messages not sent yet.
//
// Every tab sees the same. If the browser keeps nothing, as in some private windows, it lasts as long
// as the page.

import { OWN } from "./site.js";

const PREFIX = `${OWN}/`;
const fallback = new Map();
const here = new Map();

/** The value that was kept, or `otherwise`. */
export function recall(key, otherwise = null) {
  try {
    return parse(fallback.get(key) ?? localStorage.getItem(PREFIX + key), otherwise);
  } catch {
    return otherwise;
  }
}

function parse(text, otherwise) {
  return text === null ? otherwise : JSON.parse(text);
}

/** Keeps a value; null forgets it. */
export function keep(key, value) {
  fallback.delete(key);
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden.
    if (value !== null) fallback.set(key, JSON.stringify(value));
  }
}

/** The value that this tab has kept, also while it is loaded again, or `otherwise`. */
export function recallHere(key, otherwise = null) {
  try {
    return parse(here.get(key) ?? sessionStorage.getItem(PREFIX + key), otherwise);
  } catch {
    return otherwise;
  }
}

/** Keeps a value for this tab alone; null forgets it. */
export function keepHere(key, value) {
  here.delete(key);
  try {
    if (value === null) sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    if (value !== null) here.set(key, JSON.stringify(value));
  }
}

/** The keys that begin with this and have a value. */
export function keysUnder(prefix) {
  let keys = [...fallback.keys()];
  try {
    const stored = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    keys = keys.concat(stored.map((key) => key.slice(PREFIX.length)));
  } catch {
    // The storage is forbidden.
  }
  return [...new Set(keys)].filter((key) => key.startsWith(prefix));
}

/** Calls back when another tab keeps or forgets something under a key that begins with this. */
export function watchUnder(prefix, changed) {
  addEventListener("storage", (event) => {
    // A key of null means that everything was forgotten.
    if (event.key === null || event.key.startsWith(PREFIX + prefix)) changed();
  });
}

/** Calls back when another tab keeps something under this key. */
export function watch(key, changed) {
  addEventListener("storage", (event) => {
    if (event.key === PREFIX + key) {
      fallback.delete(key);
      changed(recall(key));
    }
  });
}
