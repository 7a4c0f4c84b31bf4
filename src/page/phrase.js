// The page's own words, in the reader's language. They stand in a file of their own, which comes beside the script.

import { later } from "./later.js";
import { LOCALE, number } from "./locale.js";

const phrases = globalThis.phrases ?? {};

const plurals = later(() => new Intl.PluralRules(LOCALE));
const lists = later(() => new Intl.ListFormat(LOCALE));

/** The parts of a list of nodes, with the words between them. */
export function listOf(nodes) {
  const rest = [...nodes];
  if (rest.length < 2) return rest;
  return lists().formatToParts(rest.map(String)).map(({ type, value }) => (type === "element" ? rest.shift() : value));
}

/**
 * What the page says by this key, with these in its places: text, or numbers. The number `count` chooses the form, if
 * there are several; where it is shown in another way, that number is `n`.
 */
export function phrase(key, places = {}) {
  return phraseParts(key, places).join("");
}

/** The same in parts. A place may hold a node, or a list of parts. */
export function phraseParts(key, places = {}) {
  const parts = formOf(key, places).split(/\{(\w+)\}/);
  return parts.flatMap((part, at) => (at % 2 === 0 ? part : shownAs(places[part]))).filter((part) => part !== "");
}

/** Without its file the page says the keys, and works. */
function formOf(key, { count, n = count }) {
  const forms = phrases[key] ?? key;
  return typeof forms === "string" ? forms : (forms[plurals().select(n)] ?? forms.other);
}

function shownAs(value) {
  return typeof value === "number" ? number(value) : (value ?? "");
}

/** The sentence for a problem of this kind, if there is one: the server's own is in English. */
export function problemPhrase(code, sentence, places) {
  const key = `problem.${code}`;
  return key in phrases ? phrase(key, places) : sentence;
}
