// The sheet's colours, for what is drawn on a canvas.

const CHANGES = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)"];

/** The colours of these tokens as they are now, as a canvas takes them. */
export function colours(...tokens) {
  // A canvas knows no `var()`, and a system colour depends on where it is used.
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = tokens.map((token) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return found;
}

/** Calls `act` when the colours have changed. */
export function onNewColours(act) {
  for (const change of CHANGES) matchMedia(change).addEventListener("change", act);
}
