// A question that is answered by a text: a topic, a notice, a token.

const part = (name) => document.getElementById(name ? `text-${name}` : "text");

/**
 * Asks for a text of at most so many letters. `run(text)` does what is asked for: if it fails, the reader is told why and
 * may try again. `secret` hides the text.
 */
export function askText({ title, value = "", most, yes, secret = false, run }) {
  const [dialog, field, error] = [part(""), part("field"), part("error")];
  part("title").textContent = title;
  part("yes").textContent = yes;
  field.setAttribute("aria-label", title);
  field.type = secret ? "password" : "text";
  field.maxLength = most;
  field.value = value;
  error.textContent = "";
  part("close").onclick = () => dialog.close();
  // To return false here would keep the button from sending the form.
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  part("form").onsubmit = async (event) => {
    event.preventDefault();
    try {
      await run(field.value.trim());
      dialog.close();
    } catch (failure) {
      error.textContent = failure.message;
      field.focus();
    }
  };
  // A secret does not stay in the page.
  dialog.onclose = () => (field.value = "");
  dialog.showModal();
  field.select();
}
