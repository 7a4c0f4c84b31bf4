// What a screen reader says of new messages. The list itself is silent, as scrolling rebuilds it.

import { nameOf } from "./rows.js";

/** More than this many at once are counted instead of read. */
const READ = 3;

/** A longer text is cut, in characters. */
const LONG = 300;

export function announce(messages) {
  const region = document.getElementById("announce");
  if (messages.length === 0 || document.hidden) return;
  const lines = messages.map((message) => `${nameOf(message)}: ${message.text.slice(0, LONG)}`);
  const words = lines.length > READ ? [`${lines.length} new messages`] : lines;
  region.replaceChildren(
    ...words.map((line) => {
      const node = document.createElement("p");
      node.textContent = line;
      return node;
    }),
  );
}
