// Whether a message is for the reader: what its row shows, and what gives notice.

import { marksOf, mentions } from "./text.js";

/**
 * Whether it mentions the reader, or answers a message of theirs. `me` is the reader's name, or null; `own` whether the
 * reader wrote it; `isOwn(id)` whether they wrote that one; `marks` are those of its text.
 */
export function isForMe({ text, reply_to: answered }, { me, own, isOwn, marks = marksOf(text) }) {
  if (own) return false;
  return isOwn(answered) || mentions(text, marks, me);
}
