// The clipboard.

/** Copies a text. Needs a click or a key. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // On plain http there is no clipboard, but the old way works.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    const had = document.activeElement;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    had?.focus({ preventScroll: true });
  }
}
