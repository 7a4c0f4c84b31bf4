// What people wrote, as DOM nodes: links, names, code and emoji, and never as markup.
//
// A stranger wrote it: every pattern and every loop here goes through a text once. No pattern has
// alternatives that match the same character, since a browser would try all combinations of them.

import { codeIn, codeNode, codeParts, unseen } from "./code.js";
import { phrase } from "./phrase.js";

/** What says what somebody does: "/me waves" is "anna waves". */
const ACTION = /^\/me (?=\s*\S)/u;

/** The beginning of a link, or a whole mention. */
const BEGINNING = /\b(?:https?:\/\/|www\.)|(?<![\p{L}\p{N}_@.\/])@[\p{L}\p{N}\p{M}_.-]+/giu;

/** What each of these has. Most texts have neither, and need no search. */
const PERHAPS = /@|:\/\/|www\./i;

/**
 * What a link goes on with: ASCII without quotes and brackets; of the rest what is no space, no
 * quote, no bracket, ends no sentence in any script and does not turn the reading direction around;
 * an apostrophe within a word.
 */
const RUN =
  /(?:[!#-&*-;=?-Z\\^_a-z|~]|[^\0-\x7f\s\p{Cc}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Terminal_Punctuation}\u200e\u200f\u202a-\u202e\u2066-\u2069\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff64]|(?<=[\p{Script=Latin}\p{Script=Cyrillic}])['\u2019](?=[\p{Script=Latin}\p{Script=Cyrillic}]))+/uy;

/** A bracket that was opened in a link is closed in it. */
const BRACKETS = { "(": ")", "[": "]", "{": "}" };

/** At a link's end these belong to the sentence around it. */
const TRAILING = ".,;:!?…‥*_—–|([{";

/** Nobody follows a longer link, in characters. */
const LINK_LIMIT = 2_000;

/** The longest name, in UTF-16 units, with the longest run of them for one letter. */
const NAME_LIMIT = 128;

/** One class, without alternatives. */
const EMOJI =
  /^[\p{Emoji_Presentation}\p{Extended_Pictographic}\p{Regional_Indicator}\u200d\ufe0f\u{1f3fb}-\u{1f3ff}\s]+$/u;

/** At most this many emoji alone are shown big. */
const BIG_EMOJI = 3;

/** Where the text has links, mentions and code, in their order; none reaches into another. */
export function marksOf(text) {
  const marks = [];
  let from = 0;
  if (isAction(text)) {
    from = ACTION.exec(text)[0].length;
    marks.push({ kind: "action", start: 0, end: from });
  }
  let match = search(text, from);
  for (const code of [...codeIn(text), null]) {
    // What begins in code is neither. The search never goes back, so it sees each place once.
    if (match !== null && match.index < from) match = search(text, from);
    while (match !== null && match.index < (code?.start ?? text.length)) {
      const mark = markAt(text, match);
      if (mark.isGood) marks.push(mark);
      match = search(text, Math.max(mark.end, match.index + match[0].length));
    }
    if (code !== null) {
      marks.push(code);
      from = code.end;
    }
  }
  return marks;
}

function search(text, from) {
  if (!PERHAPS.test(text)) return null;
  BEGINNING.lastIndex = from;
  return BEGINNING.exec(text);
}

/** The link or mention that begins here. */
function markAt(text, match) {
  const start = match.index;
  const kind = match[0][0] === "@" ? "mention" : "link";
  const end = kind === "link" ? linkEnd(text, start, start + match[0].length) : mentionEnd(match);
  const longest = kind === "link" ? LINK_LIMIT : NAME_LIMIT;
  return { kind, start, end, isGood: end > start && end - start <= longest };
}

/** Whether the text says what its writer does. */
export function isAction(text) {
  return ACTION.test(text);
}

/** A message as a sentence about its writer. */
export function sentenceOf(name, text) {
  return isAction(text) ? `${name} ${text.replace(ACTION, "")}` : phrase("said", { name, text });
}

/**
 * The nodes of a part of a text. `marks` are those of the whole text. `names()` are names of several words
 * that a mention may hold.
 */
export function nodesOf(text, marks, names, from = 0, to = text.length) {
  const fragment = document.createDocumentFragment();
  let long = null;
  let end = from;
  for (const mark of marks) {
    // Only code goes on from one part into the next.
    if (mark.end <= end || (mark.start < end && mark.kind !== "code")) continue;
    if (mark.start >= to) break;
    const start = Math.max(mark.start, end);
    fragment.append(text.slice(end, start));
    end = Math.min(mark.end, to);
    if (mark.kind === "code") {
      fragment.append(codeNode(mark, ...codeParts(text, mark, start, end)));
    } else if (mark.kind === "action") {
      fragment.append(unseen(text.slice(start, end)));
    } else if (mark.kind === "link") {
      fragment.append(linkNode(text.slice(start, end)));
    } else {
      long ??= longNames(names());
      end = Math.min(to, start + 1 + nameAt(text, mark, long).length);
      fragment.append(mentionNode(text.slice(start, end)));
    }
  }
  fragment.append(text.slice(end, to));
  return fragment;
}

/** Whether the text, with these marks, speaks to the person of this name. */
export function mentions(text, marks, name) {
  if (name === null) return false;
  const long = longNames([name]);
  return marks.some((mark) => mark.kind === "mention" && same(nameAt(text, mark, long), name));
}

/**
 * Where the pieces of a long text end: each has about `size` characters at most. A piece ends after
 * a line or a word if it can, and in no link or mention. Code that is longer is cut too, in pieces of its own.
 */
export function piecesOf(text, marks, size) {
  const ends = [];
  let next = 0;
  for (let from = 0; from < text.length; from = ends.at(-1)) {
    let end = cutOf(text, from, size);
    while (next < marks.length && marks[next].end <= end) {
      // The rest of code that was cut.
      if (marks[next].start < from && marks[next].end > from) ({ end } = marks[next]);
      next += 1;
    }
    const mark = marks[next];
    if (mark && mark.start < end) {
      if (mark.start > from) end = mark.start;
      else end = mark.kind === "code" ? Math.min(end, mark.end) : mark.end;
    }
    ends.push(end);
  }
  return ends;
}

/** Whether the text is nothing but a few emoji. */
export function isBigEmoji(text) {
  // What has a plain letter is no emoji, in most texts the first one.
  if (text.length > 40 || /[!-~]/.test(text) || !EMOJI.test(text)) return false;
  const compact = text.replace(/\s/g, "");
  const count = Intl.Segmenter ? [...new Intl.Segmenter().segment(compact)].length : 1;
  return count > 0 && count <= BIG_EMOJI;
}

/** Names are compared without upper case, as people type them in a hurry. */
function same(one, other) {
  return one.toLocaleLowerCase() === other.toLocaleLowerCase();
}

function cutOf(text, from, size) {
  if (text.length - from <= size) return text.length;
  const half = from + Math.floor(size / 2);
  const near = text.slice(half, from + size);
  const line = near.lastIndexOf("\n");
  const space = line >= 0 ? line : near.lastIndexOf(" ");
  if (space >= 0) return half + space + 1;
  // A character of two units stays whole.
  const splits = /[\udc00-\udfff]/.test(text[from + size]);
  return from + size - (splits ? 1 : 0);
}

/** Where the link ends that begins at `start`, with its address beginning at `from`. */
function linkEnd(text, start, from) {
  const open = [];
  let end = from;
  for (;;) {
    RUN.lastIndex = end;
    if (RUN.test(text)) end = RUN.lastIndex;
    const bracket = text.charAt(end);
    if (bracket in BRACKETS) open.push(BRACKETS[bracket]);
    else if (bracket === "" || open.pop() !== bracket) break;
    end += 1;
  }
  while (end > from && TRAILING.includes(text[end - 1])) end -= 1;
  return end > from ? end : start;
}

function linkNode(shown) {
  const address = /^www/i.test(shown) ? `http://${shown}` : shown;
  if (!isAddress(address)) return shown;
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.textContent = shown;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow";
  return anchor;
}

function isAddress(text) {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}

function mentionEnd({ 0: word, index }) {
  let length = word.length;
  while (".-".includes(word[length - 1])) length -= 1;
  return length > 1 ? index + length : index;
}

function mentionNode(shown) {
  const span = document.createElement("span");
  span.className = "mention";
  span.textContent = shown;
  return span;
}

/** The names of several words in small letters, by their length; the longest first. */
function longNames(names) {
  const byLength = new Map();
  for (const name of names) {
    if (!name.includes(" ")) continue;
    const small = name.toLocaleLowerCase();
    if (!byLength.has(small.length)) byLength.set(small.length, new Set());
    byLength.get(small.length).add(small);
  }
  return [...byLength].sort(([a], [b]) => b - a);
}

/** The name that a mention means: one of several words that stands there, or its one word. */
function nameAt(text, { start, end }, long) {
  const word = text.slice(start + 1, end);
  if (long.length === 0) return word;
  const after = text.slice(start + 1, start + 1 + NAME_LIMIT);
  const small = after.toLocaleLowerCase();
  // A letter that grows when it is made small would shift what follows.
  if (small.length !== after.length) return word;
  for (const [length, names] of long) {
    if (names.has(small.slice(0, length))) return after.slice(0, length);
  }
  return word;
}
