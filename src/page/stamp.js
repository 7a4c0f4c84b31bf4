// When something was said, as its row shows it.

import { element } from "./element.js";
import { clock } from "./locale.js";
import { full } from "./time.js";

export function timeOf(at) {
  return element("time", { datetime: isoOf(at) }, clock(at));
}

/** A time as the server and HTML write it: 2026-11-27T11:06:02.000Z. */
export function isoOf(at) {
  return new Date(at).toISOString();
}

/**
 * Tells the whole date of what the reader points at: of a time, or of what has it in `data-when`. To write all dates in
 * advance would take the browser long.
 */
export function tellDates(scroller) {
  scroller.addEventListener("pointerover", ({ target }) => {
    const stamp = target.closest(":is(time, [data-when]):not([title])");
    if (stamp) stamp.title = full(stamp.dateTime ?? stamp.dataset.when);
  });
}
