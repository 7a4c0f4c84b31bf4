// A click is not lost if what is pressed moves, or is built anew, before it is released.

import { CONTROLS, builtAgain, twinOf } from "./focus.js";

/** A pointer that moves further than this drags, in pixels. */
const STILL = 5;

export function keepClicks() {
  let pressed = null;
  addEventListener("pointerdown", (event) => {
    const { target, button, pointerType, ctrlKey, metaKey, shiftKey, altKey, clientX, clientY } = event;
    // A touch clicks what is there when it ends. With a key or another button a link opens elsewhere.
    const isPlain = button === 0 && pointerType !== "touch" && !(ctrlKey || metaKey || shiftKey || altKey);
    const control = isPlain ? target.closest(CONTROLS) : null;
    const row = control?.closest("li") ?? null;
    pressed = row && { control, row, list: row.parentElement, clientX, clientY };
  });
  addEventListener("pointerup", ({ target, clientX, clientY }) => {
    if (pressed === null) return;
    const { control, row, list } = pressed;
    const isStill = Math.hypot(clientX - pressed.clientX, clientY - pressed.clientY) <= STILL;
    pressed = null;
    if (isStill && !(control.isConnected && control.contains(target))) standIn(control, row, list)?.click();
  });
}

/** What is now in the place of a control; null if it is gone with its row. */
function standIn(control, row, list) {
  if (control.isConnected) return control;
  const built = builtAgain(row, list);
  if (!built) return null;
  // The bar of what can be done has not come to the new row yet. Its buttons know what they are for.
  return twinOf(control, row, built) ?? (control.matches("button") ? control : null);
}
