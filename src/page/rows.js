// The rows of the log: messages, days, gaps and the marker.

import { codeNode, codeParts } from "./code.js";
import { goneWords } from "./changes.js";
import { avatar, element, hue, icon } from "./element.js";
import { isForMe } from "./forme.js";
import { phrase } from "./phrase.js";
import { fileNode } from "./picture.js";
import { quoteNode } from "./quote.js";
import { isoOf, timeOf } from "./stamp.js";
import { isAction, isBigEmoji, marksOf, nodesOf, piecesOf } from "./text.js";
import { dayName, dayOf } from "./time.js";

/** Messages of one person within this time stand together, in milliseconds. */
const RUN = 5 * 60 * 1000;

/**
 * A longer text (in characters, lines or pieces of code) is folded, and laid out in pieces of that many characters, since
 * the time for one piece may grow with the square of its length.
 */
const LONG = { characters: 1_500, lines: 20, codes: 100 };

/** What becomes of a message on its way, by the keys of phrases. */
const STATES = { sending: "message.sending", sent: "message.sent", failed: "message.failed" };

/** The messages whose long texts a reader has opened. They stay open when their rows are built again. */
const opened = new WeakSet();

/** The sender's name as it is shown. */
export function nameOf(message) {
  return message.name ?? phrase("someone");
}

/** Whether two messages in a row are of one person, at about one time. */
export function continues(before, message) {
  return (
    before?.kind === "message" &&
    message.kind === "message" &&
    before.name === message.name &&
    !before.own === !message.own &&
    !isAction(before.text) &&
    !isAction(message.text) &&
    message.at - before.at < RUN &&
    dayOf(before.at) === dayOf(message.at)
  );
}

/** A message. `context` knows the reader's name, which messages are theirs, and the names in the room. */
export function messageRow(message, { first, last, context }) {
  const { own, at } = message;
  const name = nameOf(message);
  const change = context.changing(message.id);
  const text = change?.text ?? message.text;
  const gone = change?.kind === "deleted" ? phrase("message.deleting") : goneWords(message);
  const marks = marksOf(text);
  const meta = element("span", { class: "meta" }, timeOf(at));
  if (change) meta.append(icon("sending", phrase("message.changing")));
  const file = gone === null && message.file !== undefined && fileNode(message.file);
  const words = gone !== null ? element("p", { class: "text gone" }, gone) : (text !== "" || !file) && textOf(message, text, marks, context.names);
  const isMarked = gone === null && message.edited !== undefined;
  const isAnswer = gone === null && message.reply_to !== undefined;
  const bubble = element("div", { class: "bubble" }, isAnswer && quoteOf(message.reply_to, context), file, words, isMarked && editedMark(message), meta);
  const acts = isAction(text);
  const who = own && !acts
    ? element("p", { class: "who unseen" }, phrase("you"))
    : element("p", { class: `who h${hue(name)}`, dir: "auto" }, name);
  const said = element("div", { class: "said" }, who, bubble);
  const row = element("li", { class: "row message", "data-id": message.id }, said);
  if (!own) row.prepend(avatar(name));
  row.classList.toggle("own", own === true);
  row.classList.toggle("first", first);
  row.classList.toggle("last", last);
  row.classList.toggle("action", acts);
  row.classList.toggle("emoji", !file && isBigEmoji(text));
  row.classList.toggle("changing", change !== undefined);
  row.classList.toggle("to-me", gone === null && isForMe(message, { me: context.me(), own, isOwn: context.isOwn, marks }));
  return row;
}

/** A message on its way, with what has become of it. */
export function outboxRow(message, { first, context, sends, retry, edit, discard }) {
  const { state, reason } = message;
  const row = messageRow(message, { first, last: true, context });
  row.classList.add(state);
  row.querySelector(".meta").append(icon(state, phrase(STATES[state])));
  if (state === "sending" && message.file) {
    const label = phrase("file.sending", { name: message.file.name });
    row.querySelector(".said").append(element("progress", { max: 1, value: 0, "data-sends": sends, "aria-label": label }));
  }
  if (state !== "failed" && !reason) return row;
  const button = (words, click) => element("button", { type: "button", on: { click } }, words);
  const failure = element(
    "p",
    { class: "failure" },
    element("span", {}, reason ?? phrase("message.failed.short")),
    element(
      "span",
      {},
      button(phrase("try"), retry),
      // The first message may still arrive: then this would be a second one.
      state === "failed" && !message.file && button(phrase("message.edit"), edit),
      button(phrase("message.discard"), discard),
    ),
  );
  row.querySelector(".said").append(failure);
  return row;
}

/** The tick of an own message that every waiter has. */
export function markSent(row) {
  row.querySelector(".meta").append(icon("sent", phrase(STATES.sent)));
}

function quoteOf(id, context) {
  const message = context.quoted(id);
  const name = context.isOwn(id) ? phrase("you") : nameOf(message ?? {});
  return quoteNode(message, name, () => context.open(id));
}

function editedMark({ edited, operator }) {
  const words = phrase(operator ? "message.edited.operator" : "message.edited");
  return element("span", { class: "edited", "data-when": isoOf(edited) }, " ", words);
}

function textOf(message, text, marks, names) {
  const node = element("p", { class: "text", dir: "auto" });
  const opening = openingOf(text, marks);
  if (opening === text.length) {
    node.append(nodesOf(text, marks, names));
    return node;
  }
  const more = element("button", { type: "button", class: "link more" });
  const show = () => {
    const folded = !opened.has(message);
    node.classList.toggle("folded", folded);
    more.setAttribute("aria-expanded", String(!folded));
    more.textContent = phrase(folded ? "message.more" : "message.less");
    if (folded) node.replaceChildren(nodesOf(text, marks, names, 0, opening), "…");
    else node.replaceChildren(...pieces(text, marks, names));
  };
  more.addEventListener("click", () => {
    if (!opened.delete(message)) opened.add(message);
    show();
  });
  show();
  return element("div", {}, node, more);
}

/** How much of a text is shown before anybody asks for all of it. */
function openingOf(text, marks) {
  let end = -1;
  for (let lines = 0; lines < LONG.lines; lines += 1) {
    end = text.indexOf("\n", end + 1);
    if (end < 0) break;
  }
  const [first = 0] = piecesOf(text, marks, LONG.characters);
  const codes = marks.filter(({ kind }) => kind === "code");
  return Math.min(first, end < 0 ? first : end, codes[LONG.codes]?.start ?? first);
}

/** All of a long text. The pieces of a long block of code stand in one box, which scrolls as one. */
function pieces(text, marks, names) {
  const nodes = [];
  const blocks = marks.filter(({ isBlock, start, end }) => isBlock && end - start > LONG.characters);
  let [block] = blocks;
  let from = 0;
  for (const to of piecesOf(text, marks, LONG.characters)) {
    if (block && to > block.start) {
      if (from === block.start) nodes.push(codeNode(block));
      nodes.at(-1).append(element("span", { class: "piece" }, ...codeParts(text, block, from, to)));
      if (to === block.end) block = blocks[blocks.indexOf(block) + 1];
    } else {
      nodes.push(element("span", { class: "piece", dir: "auto" }, nodesOf(text, marks, names, from, to)));
    }
    from = to;
  }
  return nodes;
}

/** A row for a message that can't be shown as it should be: the name and the plain text. */
export function plainRow({ id, kind, name, text, file }) {
  const words = kind === "message" ? [text, file?.name].filter(Boolean).map(String).join("\n") : String(kind);
  const node = element("p", { class: "text", dir: "auto" });
  for (let from = 0; from < words.length; from += LONG.characters)
    node.append(element("span", { class: "piece" }, words.slice(from, from + LONG.characters)));
  const who = element("p", { class: "who", dir: "auto" }, String(name ?? phrase("someone")));
  const said = element("div", { class: "said" }, who, element("div", { class: "bubble" }, node));
  return element("li", { class: "row message first last", "data-id": id }, said);
}

/** The line between two days. */
export function dayRow(at) {
  const go = element("button", { type: "button", title: phrase("days.other") }, dayName(at));
  return element("li", { class: "row day", "data-at": isoOf(at) }, go);
}

/** Writes the name of the day again. */
export function tellDay(row) {
  row.firstElementChild.textContent = dayName(row.dataset.at);
}

/** A line that says that messages are lost here. */
export function gapRow() {
  return element("li", { class: "row gap" }, element("span", {}, phrase("log.gap")));
}

/** The marker where the reader stopped. */
export function markerRow() {
  return element("li", { class: "row marker", id: "marker" }, element("span", {}, phrase("log.marker")));
}
