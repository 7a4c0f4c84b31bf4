// Keyboards, of all kinds.

/** Whether an input method composes with this key: then it is its own. Safari says so by the code alone. */
export function composes(event) {
  return event.isComposing || event.keyCode === 229;
}

/** A keyboard on the glass covers the page on some phones: the page keeps to what is left above it. */
export function makeRoom() {
  const viewport = globalThis.visualViewport;
  viewport?.addEventListener("resize", () => {
    // Who has zoomed in looks at a part, and the page stays as it is.
    if (viewport.scale !== 1) return;
    document.body.style.height = `${viewport.height}px`;
    scrollTo(0, 0);
  });
}
