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

/** What tells the rows of a list from each other. */
const KEYS = ["id", "at", "room", "name"];

/** The row of a list that was built in the place of this one, if there is one. */
export function builtAgain(row, list) {
  const isSame = ({ dataset }) => KEYS.every((key) => dataset[key] === row.dataset[key]);
  return KEYS.some((key) => key in row.dataset) ? [...list.children].find(isSame) : undefined;
}

/** The same link, button or field in a row that was built again. */
export function twinOf(lost, row, built) {
  const controls = (row) => [...row.querySelectorAll(CONTROLS)];
  return controls(built)[controls(row).indexOf(lost)];
}
