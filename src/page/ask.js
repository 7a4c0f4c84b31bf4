// A question before something that can't be undone.

/** Asks it, and gives whether the reader said yes. Escape, and a click beside it, are a no. */
export function ask({ question, details, yes }) {
  const dialog = document.getElementById("ask");
  const [title, words, keep, go] = ["title", "details", "no", "yes"].map((part) => document.getElementById(`ask-${part}`));
  title.textContent = question;
  words.textContent = details;
  go.textContent = yes;
  return new Promise((resolve) => {
    let said = false;
    keep.onclick = () => dialog.close();
    go.onclick = () => {
      said = true;
      dialog.close();
    };
    dialog.onclick = (event) => event.target === dialog && dialog.close();
    dialog.addEventListener("close", () => resolve(said), { once: true });
    dialog.showModal();
    keep.focus();
  });
}
