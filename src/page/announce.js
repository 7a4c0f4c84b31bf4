// What a screen reader says of new messages. The list itself is silent, as scrolling rebuilds it.

import { element } from "./element.js";
import { nameOf } from "./rows.js";

/** More than this many at once are counted instead of read. */
const READ = 3;

/** A longer text is cut, in characters. */
const LONG = 300;

export function announce(messages) {
  if (messages.length === 0 || document.hidden) return;
  const lines = messages.map((message) => `${nameOf(message)}: ${message.text.slice(0, LONG)}`);
  tell(...(lines.length > READ ? [`${lines.length} new messages`] : lines));
}

/** Says this, in place of what was said before. */
export function tell(...lines) {
  document.getElementById("announce").replaceChildren(...lines.map((line) => element("p", {}, line)));
}
