// Keyboards, real ones and on the screen.

/** Whether an input method takes this key. Safari shows this only by the code. */
export function composes(event) {
  return event.isComposing || event.keyCode === 229;
}

/** Whether people type on the screen, where no key comes with Shift or Control. */
export function isOnScreen() {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}

/** On some phones the on-screen keyboard covers the page: the page shrinks to the part above it. */
export function makeRoom() {
  const viewport = globalThis.visualViewport;
  viewport?.addEventListener("resize", () => {
    // With zoom the reader looks at a part of the page, which stays as it is.
    if (viewport.scale !== 1) return;
    document.body.style.height = `${viewport.height}px`;
    scrollTo(0, 0);
  });
}
