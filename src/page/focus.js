// The focus is never lost: an element that is removed or hidden passes it on.

/** Makes a change. If the focused element is gone after it, `heir(it)` gets the focus. One that was moved keeps it. */
export function keepFocus(change, heir) {
  const had = document.activeElement;
  change();
  if (had === document.body) return;
  const stays = had.isConnected && had.getClientRects().length > 0;
  if (stays && document.activeElement !== document.body) return;
  (stays ? had : heir(had))?.focus({ preventScroll: true });
}

/** Where the reader goes on: in the form, unless that would open an on-screen keyboard. */
export function home() {
  const canPoint = matchMedia("(hover: hover)").matches;
  return document.getElementById(canPoint ? "message" : "log");
}

/** What takes a click. */
export const CONTROLS = "a, button, input, label, summary";

/** The same link, button or field in a row that was built again. */
export function twinOf(lost, row, built) {
  const controls = (row) => [...row.querySelectorAll(CONTROLS)];
  return controls(built)[controls(row).indexOf(lost)];
}
