// The focus stays with somebody: what is taken away or hidden hands it on.

/** Makes a change. If what had the focus is gone after it, `heir(it)` gets the focus. */
export function keepFocus(change, heir) {
  const had = document.activeElement;
  change();
  if (had === document.body || (had.isConnected && had.getClientRects().length > 0)) return;
  heir(had)?.focus({ preventScroll: true });
}

/** Where one goes on: where one writes, unless that would open a keyboard on the glass. */
export function home() {
  const canPoint = matchMedia("(hover: hover)").matches;
  return document.getElementById(canPoint ? "message" : "log");
}
