// Completing `@na` to a name: a list above the composer, by Tab, Enter, arrows or a touch.

import { avatar, element } from "./element.js";

const MOST = 6;

/** The longest beginning of a name that is completed, in UTF-16 units. */
const LONGEST = 64;

export class Mention {
  #input;
  #list;
  #names;
  #found = [];
  #chosen = 0;

  /** `names()` gives the names that can be mentioned, best first. */
  constructor(input, list, names) {
    this.#input = input;
    this.#list = list;
    this.#names = names;
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.addEventListener("input", () => this.#look());
    input.addEventListener("blur", () => this.close());
  }

  get open() {
    return this.#found.length > 0;
  }

  /** Takes a key; says whether it was for the list. */
  key(event) {
    if (!this.open) return false;
    const { length } = this.#found;
    if (event.key === "ArrowDown") this.#choose((this.#chosen + 1) % length);
    else if (event.key === "ArrowUp") this.#choose((this.#chosen + length - 1) % length);
    else if ((event.key === "Tab" && !event.shiftKey) || event.key === "Enter")
      this.#complete(this.#found[this.#chosen]);
    else if (event.key === "Escape") this.close();
    else return false;
    return true;
  }

  close() {
    this.#found = [];
    this.#show();
  }

  /** The start of a name before the caret, after `@`. */
  #typed() {
    const { selectionStart, selectionEnd, value } = this.#input;
    if (selectionStart !== selectionEnd) return null;
    // A long text is searched only as far as a name, its `@` and the character before it can reach.
    const near = value.slice(Math.max(0, selectionStart - LONGEST - 2), selectionStart);
    return near.match(/(?:^|[\s(])@([^\s@]{0,64})$/u)?.[1] ?? null;
  }

  #look() {
    const typed = this.#typed()?.toLocaleLowerCase();
    const matches = (name) => name.toLocaleLowerCase().startsWith(typed);
    this.#found = typed === undefined ? [] : this.#names().filter(matches).slice(0, MOST);
    this.#chosen = 0;
    this.#show();
  }

  #show() {
    const options = this.#found.map((name, index) => {
      const option = element(
        "li",
        { role: "option", id: `mention-${index}`, "aria-selected": String(index === this.#chosen) },
        avatar(name),
        element("bdi", {}, name),
      );
      // The text keeps the focus.
      option.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.#complete(name);
      });
      return option;
    });
    this.#list.replaceChildren(...options);
    this.#list.hidden = !this.open;
    if (this.open) {
      this.#input.setAttribute("aria-activedescendant", `mention-${this.#chosen}`);
      options[this.#chosen].scrollIntoView({ block: "nearest" });
    } else this.#input.removeAttribute("aria-activedescendant");
  }

  #choose(index) {
    this.#chosen = index;
    this.#show();
  }

  #complete(name) {
    const { selectionStart } = this.#input;
    const start = selectionStart - this.#typed().length;
    this.#input.setRangeText(`${name} `, start, selectionStart, "end");
    this.close();
    this.#input.dispatchEvent(new Event("input"));
  }
}
