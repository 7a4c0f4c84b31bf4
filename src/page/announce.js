// Announcements of new messages by a screen reader. The list itself is silent, since scrolling rebuilds it.

import { saying } from "./changes.js";
import { element } from "./element.js";
import { phrase } from "./phrase.js";
import { nameOf } from "./rows.js";
import { sentenceOf } from "./text.js";

/** More than this many at once are counted instead of read. */
const READ = 3;

/** A longer text is cut, in characters. */
const LONG = 300;

export function announce(messages) {
  if (messages.length === 0 || document.hidden) return;
  const lines = messages.map((message) => sentenceOf(nameOf(message), saying(message).slice(0, LONG)));
  tell(...(lines.length > READ ? [phrase("log.new", { count: lines.length })] : lines));
}

/** Takes back what was announced: a text in it may be no more. */
export function takeBack() {
  tell();
}

/** Announces this, in place of the announcement before. */
export function tell(...lines) {
  document.getElementById("announce").replaceChildren(...lines.map((line) => element("p", {}, line)));
}
