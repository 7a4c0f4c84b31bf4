// Code in what people wrote: between backticks, in a line or as a block. `markup.rs` finds the same.
//
// The backticks stay in the text, where nobody sees them: whoever copies a message has all of it.

import { element } from "./element.js";

/** What tells where code is. */
const TICKS_AND_LINES = /`+|\n/g;

/** So many backticks, or more, hold several lines. Fewer hold a part of one. */
const FENCE = 3;

/** The name of a language, which stands behind a block's first backticks, and the end of its line. */
const LANGUAGE = /[\w+#.-]{0,32}\n/y;

/**
 * Where the text has code, in its order. The code itself goes from `open` to `close`. It ends at the next backticks of
 * the same number. A backtick within a word is an apostrophe.
 */
export function codeIn(text) {
  const code = [];
  let end = 0;
  for (const run of ticksIn(text)) {
    const isOpen = run.start >= end && run.next && !/[a-z0-9]/i.test(text.charAt(run.start - 1));
    const isBlock = isOpen && run.next.line > run.line;
    if (!isOpen || (isBlock && run.length < FENCE)) continue;
    const mark = { kind: "code", isBlock, start: run.start, open: run.start + run.length };
    mark.close = run.next.start;
    mark.end = mark.close + run.length;
    if (isBlock) trim(text, mark);
    if (text.slice(mark.open, mark.close).trim() === "") continue;
    code.push(mark);
    ({ end } = mark);
  }
  return code;
}

/** The runs of backticks, each with the next one of the same length. */
function ticksIn(text) {
  const runs = [];
  if (!text.includes("`")) return runs;
  let line = 0;
  const last = new Map();
  for (const { 0: found, index } of text.matchAll(TICKS_AND_LINES)) {
    if (found === "\n") {
      line += 1;
      continue;
    }
    const { length } = found;
    const run = { start: index, length, line, next: null };
    if (last.has(length)) last.get(length).next = run;
    last.set(length, run);
    runs.push(run);
  }
  return runs;
}

/** The lines of the backticks, and the name of the language, are no part of the code. */
function trim(text, mark) {
  LANGUAGE.lastIndex = mark.open;
  if (LANGUAGE.test(text)) mark.open = LANGUAGE.lastIndex;
  if (mark.close > mark.open && text[mark.close - 1] === "\n") mark.close -= 1;
  if (text[mark.end] === "\n") mark.end += 1;
}

/** An element for code. A block may be wide: then it scrolls, by the keyboard too. */
export function codeNode({ isBlock }, ...parts) {
  return element("code", { class: isBlock && "block", dir: "ltr", tabindex: isBlock && "0" }, ...parts);
}

/** What stands in it from one place to another of the text. */
export function codeParts(text, { isBlock, start, open, close, end }, from, to) {
  const cut = (start, end) => text.slice(Math.max(start, from), Math.max(start, from, Math.min(end, to)));
  const code = cut(open, close);
  return [unseen(cut(start, open)), isBlock && code !== "" ? element("span", {}, code) : code, unseen(cut(close, end))];
}

/** What stands in the text and is not shown. */
export function unseen(text) {
  return text !== "" && element("span", { class: "mark" }, text);
}
