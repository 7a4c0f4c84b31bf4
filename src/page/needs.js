// What the page needs of a browser. A browser that does not know the script's syntax runs none of it: then the
// style shows the same sentence after a while.

/** Whether the lists of rooms and people, and sharing, can open. */
function canOpen() {
  return "showPopover" in HTMLElement.prototype && "showModal" in (globalThis.HTMLDialogElement?.prototype ?? {});
}

/** Says that something is missing, and hides those parts. The chat itself works. */
export function tellNeeds() {
  document.documentElement.classList.toggle("old", !canOpen());
}
