// Going to a day: from the line between two days.

import { note } from "./note.js";
import { phrase } from "./phrase.js";
import { messageFrom } from "./wire.js";

/** `go(id)` goes to a message. */
export function goToDays(room, scroller, go) {
  const dialog = document.getElementById("days");
  const field = document.getElementById("days-day");
  scroller.addEventListener("click", ({ target }) => {
    const row = target.closest(".row.day");
    if (!row || !target.closest("button")) return;
    field.value = written(new Date(row.dataset.at));
    field.max = written(new Date());
    dialog.showModal();
  });
  document.getElementById("days-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.getElementById("days-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    dialog.close();
    const [year, month, day] = field.value.split("-").map(Number);
    const midnight = new Date(year, month - 1, day);
    try {
      const message = await messageFrom(room, midnight.toISOString());
      if (message) go(message.id);
      else note(phrase("days.nothing"));
    } catch {
      note(phrase("days.unreached"));
    }
  });
}

/** A day as the field has it: 2026-11-26. */
function written(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
