// What the page needs of a browser beyond what it can do without. A browser that does not know its syntax
// runs none of it: then the style shows the same sentence after a while.

/** Whether the lists of rooms and people, and sharing, can open. */
function canOpen() {
  return "showPopover" in HTMLElement.prototype && "showModal" in (globalThis.HTMLDialogElement?.prototype ?? {});
}

/** Says what is missing, and hides it; the chat itself goes on. */
export function tellNeeds() {
  document.documentElement.classList.toggle("old", !canOpen());
}
