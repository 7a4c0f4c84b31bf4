// The rows of the log: messages, who came and went, days, gaps and the marker.

import { avatar, element, hue, icon } from "./element.js";
import { isBigEmoji, mentions, nodesOf } from "./text.js";
import { clock, dayName, dayOf, full } from "./time.js";

/** Messages of one person within this time stand together, in milliseconds. */
const RUN = 5 * 60 * 1000;

/** A longer text is folded, in characters or lines. */
const LONG = { characters: 1_500, lines: 20 };

/** What to call who sent it. */
export function nameOf(message) {
  return message.name ?? "someone";
}

/** Whether two messages in a row are of one person and one breath. */
export function continues(before, message) {
  return (
    before?.kind === "message" &&
    message.kind === "message" &&
    before.name === message.name &&
    before.own === message.own &&
    Date.parse(message.at) - Date.parse(before.at) < RUN &&
    dayOf(before.at) === dayOf(message.at)
  );
}

/** A message. `context` knows the reader's name and the names in the room. */
export function messageRow(message, { first, last, context }) {
  const { text, own, at } = message;
  const name = nameOf(message);
  const meta = element("span", { class: "meta" }, timeOf(at));
  const bubble = element("div", { class: "bubble" }, textOf(text, context), meta);
  const who = own
    ? element("p", { class: "who unseen" }, "You")
    : element("p", { class: `who h${hue(name)}`, dir: "auto" }, name);
  const said = element("div", { class: "said" }, who, bubble);
  const row = element("li", { class: "row message", "data-id": message.id }, said);
  if (!own) row.prepend(avatar(name));
  row.classList.toggle("own", own === true);
  row.classList.toggle("first", first);
  row.classList.toggle("last", last);
  row.classList.toggle("emoji", isBigEmoji(text));
  row.classList.toggle("to-me", !own && mentions(text, context.me()));
  return row;
}

/** A message on its way, with what has become of it. */
export function outboxRow(message, { first, context, retry, discard }) {
  const { state, reason } = message;
  const row = messageRow(message, { first, last: true, context });
  row.classList.add(state);
  const label = { sending: "Sending", sent: "Sent", failed: "Not sent" }[state];
  row.querySelector(".meta").append(icon(state, label));
  if (state !== "failed") return row;
  row
    .querySelector(".said")
    .append(
      element(
        "p",
        { class: "failure" },
        element("span", {}, reason ?? "Not sent."),
        element("button", { type: "button", on: { click: retry } }, "Try again"),
        element("button", { type: "button", on: { click: discard } }, "Discard"),
      ),
    );
  return row;
}

/** The tick of a message of one's own that everybody has been given. */
export function markSent(row) {
  row.querySelector(".meta").append(icon("sent", "Sent"));
}

function textOf(text, context) {
  const node = element("p", { class: "text", dir: "auto" });
  node.append(nodesOf(text, context.names()));
  const lines = text.split("\n").length;
  if (text.length <= LONG.characters && lines <= LONG.lines) return node;
  node.classList.add("folded");
  const more = element(
    "button",
    { type: "button", class: "link more", "aria-expanded": "false" },
    "Show all of it",
  );
  more.addEventListener("click", () => {
    const folded = node.classList.toggle("folded");
    more.setAttribute("aria-expanded", String(!folded));
    more.textContent = folded ? "Show all of it" : "Show less";
  });
  return element("div", {}, node, more);
}

function timeOf(at) {
  return element("time", { datetime: at, title: full(at) }, clock(at));
}

/** The line between two days. */
export function dayRow(at) {
  return element("li", { class: "row day" }, element("span", {}, dayName(at)));
}

/** Says that something is lost here. */
export function gapRow() {
  return element("li", { class: "row gap" }, element("span", {}, "Some messages are no longer kept"));
}

/** Stands where the reader left off. */
export function markerRow() {
  return element("li", { class: "row marker", id: "marker" }, element("span", {}, "New messages"));
}

/** Those who came and went one after the other, folded into a line that opens. */
export function presenceRow(messages) {
  const summary = element("summary", {}, ...summaryOf(messages));
  if (messages.length < 3) {
    return element("li", { class: "row presence" }, element("p", {}, ...summary.childNodes));
  }
  const each = messages.map((message) =>
    element("li", {}, person(nameOf(message)), ` ${message.kind} `, timeOf(message.at)),
  );
  const details = element("details", {}, summary, element("ul", {}, ...each));
  return element("li", { class: "row presence" }, details);
}

/** What became of each person in the end: who left and joined again came back. */
function summaryOf(messages) {
  const ways = new Map();
  for (const message of messages) {
    const name = nameOf(message);
    ways.set(name, { first: ways.get(name)?.first ?? message.kind, last: message.kind });
  }
  const whatOf = ({ first, last }) => {
    if (first === last) return last;
    return last === "joined" ? "came back" : "came by";
  };
  const parts = [];
  for (const what of ["joined", "came back", "came by", "left"]) {
    const names = [...ways.keys()].filter((name) => whatOf(ways.get(name)) === what);
    if (names.length === 0) continue;
    if (parts.length > 0) parts.push(" · ");
    parts.push(person(names[0]));
    if (names.length === 2) parts.push(" and ", person(names[1]));
    if (names.length > 2) parts.push(` and ${names.length - 1} others`);
    parts.push(` ${what}`);
  }
  return parts;
}

function person(name) {
  return element("bdi", {}, name);
}
