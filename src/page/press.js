// A click is not lost if its row is built anew between the press and the release.

import { twinOf } from "./focus.js";

/** A pointer that moves further than this drags, in pixels. */
const STILL = 5;

export function keepClicks(scroller) {
  let pressed = null;
  scroller.addEventListener("pointerdown", ({ target, pointerType, clientX, clientY }) => {
    const control = target.closest("a, button");
    const row = control?.closest(".row[data-id]");
    // A touch clicks what is there when it ends.
    pressed = row && pointerType !== "touch" ? { control, row, clientX, clientY } : null;
  });
  addEventListener("pointerup", (event) => {
    if (pressed === null) return;
    const { control, row, clientX, clientY } = pressed;
    pressed = null;
    if (control.isConnected || Math.hypot(event.clientX - clientX, event.clientY - clientY) > STILL) return;
    const built = scroller.querySelector(`.row[data-id="${CSS.escape(row.dataset.id)}"]`);
    if (built) twinOf(control, row, built)?.click();
  });
}
