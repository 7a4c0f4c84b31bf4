// What people wrote, as DOM nodes: links, names and emoji, and never as markup.

/**
 * Without quotes, brackets, the characters that turn the reading direction around, and the punctuation of
 * scripts that set no space behind it.
 */
const LINK =
  /\b(?:https?:\/\/|www\.)[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069\u2018-\u201f«»‹›\u3001-\u3003\u3008-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65،؛؟۔।॥]+/giu;
const MENTION = /(?<![\p{L}\p{N}_@.\/])@[\p{L}\p{N}\p{M}_.-]+/gu;
/** One class, and no alternatives: where two of them match the same character, a browser tries them all. */
const EMOJI =
  /^[\p{Emoji_Presentation}\p{Extended_Pictographic}\p{Regional_Indicator}\u200d\ufe0f\u{1f3fb}-\u{1f3ff}\s]+$/u;

/** At most this many emoji alone are shown big. */
const BIG_EMOJI = 3;

/** The text's nodes; `names` are those that a mention may hold beyond one word. */
export function nodesOf(text, names = []) {
  const fragment = document.createDocumentFragment();
  let end = 0;
  for (const found of find(text, names)) {
    if (found.start < end) continue;
    fragment.append(text.slice(end, found.start), found.node());
    end = found.end;
  }
  fragment.append(text.slice(end));
  return fragment;
}

/** Whether the text speaks to the person of this name. */
export function mentions(text, name) {
  return name !== null && find(text, [name]).some((found) => same(found.name, name));
}

/** Whether the text is nothing but a few emoji. */
export function isBigEmoji(text) {
  if (text.length > 40 || !EMOJI.test(text)) return false;
  const compact = text.replace(/\s/g, "");
  const count = Intl.Segmenter ? [...new Intl.Segmenter().segment(compact)].length : 1;
  return count > 0 && count <= BIG_EMOJI;
}

/** Names are the same to whoever types them in a hurry. */
export function same(one, other) {
  return one?.toLocaleLowerCase() === other?.toLocaleLowerCase();
}

function find(text, names) {
  const found = [...text.matchAll(LINK)].map(link).filter((link) => link !== null);
  const long = longNames(names);
  for (const match of text.matchAll(MENTION)) found.push(mention(text, match, long));
  return found.sort((a, b) => a.start - b.start);
}

function link(match) {
  const shown = trimmed(match[0]);
  const address = /^www/i.test(shown) ? `http://${shown}` : shown;
  if (!isAddress(address)) return null;
  const node = () => {
    const anchor = document.createElement("a");
    anchor.href = address;
    anchor.textContent = shown;
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer nofollow";
    return anchor;
  };
  return { start: match.index, end: match.index + shown.length, node };
}

function isAddress(text) {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}

/** Without the punctuation of the sentence around it; a bracket stays if it was opened inside. */
function trimmed(link) {
  let unopened = 0;
  for (const character of link) {
    if (character === "(") unopened -= 1;
    if (character === ")") unopened += 1;
  }
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link[end - 1];
    if (last === ")" && unopened > 0) unopened -= 1;
    else if (!".,;:!?…]}*_".includes(last)) break;
  }
  return link.slice(0, end);
}

/** The names of several words, as `same` sees them, by their length; the longest first. */
function longNames(names) {
  const byLength = new Map();
  for (const name of names) {
    if (!name.includes(" ")) continue;
    const known = byLength.get(name.length) ?? byLength.set(name.length, new Map()).get(name.length);
    known.set(name.toLocaleLowerCase(), name);
  }
  return [...byLength].sort(([a], [b]) => b - a);
}

function mention(text, match, long) {
  const start = match.index;
  const after = text.slice(start + 1, start + 70);
  let end = match[0].length;
  while (".-".includes(match[0][end - 1])) end -= 1;
  let name = match[0].slice(1, end);
  for (const [length, names] of long) {
    const known = names.get(after.slice(0, length).toLocaleLowerCase());
    if (known === undefined) continue;
    name = known;
    break;
  }
  const node = () => {
    const span = document.createElement("span");
    span.className = "mention";
    span.textContent = text.slice(start, start + 1 + name.length);
    return span;
  };
  return { start, end: start + 1 + name.length, name, node };
}
