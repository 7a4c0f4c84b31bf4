// A keyboard on the glass covers the page on some phones: the page keeps to what is left above it.

export function makeRoom() {
  const viewport = globalThis.visualViewport;
  viewport?.addEventListener("resize", () => {
    // Who has zoomed in looks at a part, and the page stays as it is.
    if (viewport.scale !== 1) return;
    document.body.style.height = `${viewport.height}px`;
    scrollTo(0, 0);
  });
}
