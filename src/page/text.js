// What people wrote, as DOM nodes: links, names and emoji, and never as markup.

/** Without quotes, brackets and the characters that turn the reading direction around. */
const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
const MENTION = /(?<![\p{L}\p{N}_@.\/])@[\p{L}\p{N}\p{M}_.-]+/gu;
const EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{Regional_Indicator}|[\u200d\ufe0f\u{1f3fb}-\u{1f3ff}]|\s)+$/u;

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
  for (const match of text.matchAll(MENTION)) found.push(mention(text, match, names));
  return found.sort((a, b) => a.start - b.start);
}

function link(match) {
  const shown = trimmed(match[0]);
  const address = /^www/i.test(shown) ? `http://${shown}` : shown;
  if (!URL.canParse(address)) return null;
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

/** Without the punctuation of the sentence around it; a bracket stays if it was opened inside. */
function trimmed(link) {
  for (;;) {
    const last = link.at(-1);
    const unopened = last === ")" && link.split("(").length < link.split(")").length;
    if (!unopened && !".,;:!?…]}*_".includes(last)) return link;
    link = link.slice(0, -1);
  }
}

function mention(text, match, names) {
  const start = match.index;
  const after = text.slice(start + 1, start + 70);
  const long = names.filter((name) => name.includes(" ") && same(after.slice(0, name.length), name));
  const word = match[0].slice(1).replace(/[.-]+$/, "");
  const name = long.sort((a, b) => b.length - a.length)[0] ?? word;
  const node = () => {
    const span = document.createElement("span");
    span.className = "mention";
    span.textContent = text.slice(start, start + 1 + name.length);
    return span;
  };
  return { start, end: start + 1 + name.length, name, node };
}
