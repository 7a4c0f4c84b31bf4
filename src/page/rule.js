// The rules of a room: its topic, and what its operator has decided. Entries of the room's order tell of them.

import { element } from "./element.js";
import { LOCALE } from "./locale.js";
import { phrase, phraseParts } from "./phrase.js";
import { isoOf } from "./stamp.js";

/** What is said of each kind, by the keys of phrases: with a text or a time, and without. */
const SAID = {
  topic: ["rule.topic", "rule.topic.none"],
  muted: ["rule.muted.for", "rule.muted"],
  removed: ["rule.removed.for", "rule.removed"],
  allowed: ["rule.allowed", "rule.allowed"],
  slowed: ["rule.slowed", "rule.slowed.end"],
  locked: ["rule.locked", "rule.locked.plain"],
  unlocked: ["rule.unlocked", "rule.unlocked"],
};

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** Whether an entry of the room changes its rules. */
export function isRule(item) {
  return item !== undefined && Object.hasOwn(SAID, item.kind);
}

/** A time in the largest unit that has it whole. */
export function lasting(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds % length === 0) ?? UNITS.at(-1);
  return new Intl.NumberFormat(LOCALE, { style: "unit", unit, unitDisplay: "short" }).format(seconds / length);
}

/** What such an entry says, in parts. */
export function ruleParts({ kind, name, text, seconds, operator }) {
  const who = name ?? phrase(operator ? "operator" : "someone");
  const key = SAID[kind][text || seconds ? 0 : 1];
  const bdi = (words) => element("bdi", {}, words);
  return phraseParts(key, { name: bdi(who), text: bdi(text), time: lasting(seconds ?? 0) });
}

/** The row of such an entry. */
export function ruleRow(message) {
  return element("li", { class: "row rule", "data-id": message.id }, element("p", { "data-when": isoOf(message.at) }, ...ruleParts(message)));
}
