// Whether a message is for the reader: what its row shows, and what gives notice.

import { marksOf, mentions } from "./text.js";

/** `me` is the reader's name, or null; `own` whether the reader wrote it; `marks` are those of its text. */
export function isForMe({ text }, { me, own, marks = marksOf(text) }) {
  if (own) return false;
  return mentions(text, marks, me);
}
