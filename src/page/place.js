// The reader's place in the log, while parts above or below it change.

/** Makes a change without moving what is in view. */
export function keepPlace(change, { scroller, chunks, rows }) {
  const anchor = anchorOf(scroller, chunks);
  const before = anchor?.node.getBoundingClientRect().top;
  change();
  if (!anchor) return;
  // A row that was built again is found by its message.
  const node = anchor.node.isConnected ? anchor.node : rows.get(anchor.id);
  if (node) scroller.scrollTop += node.getBoundingClientRect().top - before;
}

/** The first message in view. */
function anchorOf(scroller, chunks) {
  const { top } = scroller.getBoundingClientRect();
  for (const { built, box } of chunks) {
    if (!built || box.getBoundingClientRect().bottom <= top) continue;
    for (const node of box.children) {
      if (node.dataset.id && node.getBoundingClientRect().bottom > top) return { node, id: node.dataset.id };
    }
  }
  return null;
}
