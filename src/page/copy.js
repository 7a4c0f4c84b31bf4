// Copying from a message gives back what was written: with the backticks that nobody sees, and as the lines that it has.

/** Puts the text itself on the clipboard if the selection is of one message. Of several, the browser copies what it shows. */
export function copyWhole(scroller) {
  scroller.addEventListener("copy", (event) => {
    const selection = document.getSelection();
    if (selection.rangeCount === 0) return;
    const range = selection.getRangeAt(0);
    const texts = [...scroller.querySelectorAll(".text")].filter((text) => range.intersectsNode(text));
    if (texts.length !== 1) return;
    const copied = within(range, texts[0]).toString();
    // With a name or a time in it, it is more than the text.
    if (copied.trim() === "" || copied.trim() !== range.toString().trim()) return;
    event.clipboardData.setData("text/plain", copied);
    event.preventDefault();
  });
}

/** The part of the range that lies in this node. */
function within(range, node) {
  const part = range.cloneRange();
  if (!node.contains(part.startContainer)) part.setStart(node, 0);
  if (!node.contains(part.endContainer)) part.setEnd(node, node.childNodes.length);
  return part;
}
