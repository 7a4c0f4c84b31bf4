// The words of a search, where they stand in a text: the server finds messages by the same rules.

/** What a text is found without: accents, and the vowel points of Hebrew and Arabic. */
const ACCENTS =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]/gu;

/** A longer text is shown from a little before the first word, in UTF-16 units. */
const LONG = { text: 300, before: 60 };

function plain(text) {
  return text.normalize("NFKD").replace(ACCENTS, "").toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");
}

/** The words of a query. */
export function wordsOf(query) {
  return query.split(/\s+/u).map(plain).filter((word) => word !== "");
}

/** A text, or the part of it around the first word, with the words marked. */
export function marked(text, words) {
  const fragment = document.createDocumentFragment();
  const marks = placesOf(text, words);
  const from = text.length > LONG.text ? start(text, marks) : 0;
  const to = text.length > from + LONG.text ? whole(text, from + LONG.text) : text.length;
  let end = from;
  fragment.append(from > 0 ? "…" : "");
  for (const mark of marks) {
    if (mark.start >= to) break;
    const found = document.createElement("mark");
    found.textContent = text.slice(mark.start, Math.min(to, mark.end));
    fragment.append(text.slice(end, mark.start), found);
    end = Math.min(to, mark.end);
  }
  fragment.append(text.slice(end, to), to < text.length ? "…" : "");
  return fragment;
}

/** Where the words stand, in their order; none reaches into another. */
function placesOf(text, words) {
  let small = "";
  // For each unit of the plain text, the letter that it comes from.
  const from = [];
  const letters = [];
  let at = 0;
  for (const letter of text) {
    const part = plain(letter);
    // An accent belongs to the letter before it.
    if (part === "" && letters.length > 0) letters.at(-1).end += letter.length;
    else letters.push({ start: at, end: at + letter.length });
    for (let n = 0; n < part.length; n += 1) from.push(letters.at(-1));
    small += part;
    at += letter.length;
  }
  const found = [];
  for (const word of words)
    for (let n = small.indexOf(word); n >= 0; n = small.indexOf(word, n + word.length))
      found.push({ start: from[n].start, end: from[n + word.length - 1].end });
  const marks = [];
  for (const { start, end } of found.sort((a, b) => a.start - b.start)) {
    const last = marks.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else marks.push({ start, end });
  }
  return marks;
}

function start(text, marks) {
  const first = marks[0]?.start ?? 0;
  if (first < LONG.text / 2) return 0;
  const space = text.slice(0, first).indexOf(" ", first - LONG.before);
  return space < 0 ? whole(text, first - LONG.before) : space + 1;
}

/** A character of two units stays whole. */
function whole(text, at) {
  return /[\udc00-\udfff]/.test(text[at]) ? at - 1 : at;
}
