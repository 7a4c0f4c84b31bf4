// The form to write in: the name once, then one message after another.

import { Draft } from "./draft.js";
import { composes, isOnScreen } from "./keyboard.js";
import { bytesOver, isSeen, nameFault } from "./limits.js";
import { Mention } from "./mention.js";

export class Composer {
  #form = document.getElementById("composer");
  #text = document.getElementById("message");
  #name = document.getElementById("name");
  #error = document.getElementById("message-error");
  #draft;
  #mention;
  #back = 0;
  #known = null;
  #refused = false;

  /** `named(name)` when a name is given, `say(text)` when a message is. */
  constructor({ room, name, names, named, say }) {
    this.#draft = new Draft(room);
    this.#mention = new Mention(this.#text, document.getElementById("mentions"), names);
    this.#form.noValidate = true;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(named, say);
    });
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("input", () => this.#typed());
    this.#name.addEventListener("keydown", (event) => this.#nameKey(event, named));
    document.getElementById("me").addEventListener("click", () => this.askName());
    this.#text.enterKeyHint = isOnScreen() ? "enter" : "send";
    this.#text.value ||= this.#draft.find();
    this.show(name);
    // Lines get longer or shorter when a phone is turned, or a panel opens beside the form.
    let width = 0;
    new ResizeObserver(() => {
      if (this.#text.clientWidth === width) return;
      width = this.#text.clientWidth;
      this.#fit();
    }).observe(this.#text);
    this.#fit();
    if (matchMedia("(hover: hover)").matches) (name === null ? this.#name : this.#text).focus();
  }

  /** Shows the writer's name, or asks for it. */
  show(name) {
    this.#known = name;
    this.#refused = false;
    document.body.classList.toggle("named", name !== null);
    document.getElementById("name-row").hidden = name !== null;
    if (name !== null) this.#name.value = name;
  }

  /** Somebody else has the name: asks for another, and leaves what is being written as it is. */
  refuseName(sentence) {
    this.show(null);
    this.#refused = true;
    this.#error.textContent = sentence;
    this.#name.setAttribute("aria-invalid", "true");
    if (this.#text.value === "") this.#name.focus();
  }

  askName() {
    document.getElementById("name-row").hidden = false;
    this.#name.focus();
    this.#name.select();
  }

  /** Puts a text that was not sent before the text that is being written. */
  edit(text) {
    this.#text.value = [text, this.#text.value].filter((part) => part !== "").join("\n");
    this.#typed();
    this.#text.focus();
    this.#text.setSelectionRange(text.length, text.length);
  }

  #nameKey(event, named) {
    if (composes(event)) return;
    if (event.key === "Escape" && this.#known !== null) {
      this.#accept();
      this.show(this.#known);
      this.#text.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.#giveName(named)) this.#text.focus();
    }
  }

  #giveName(named) {
    const name = this.#name.value.trim().normalize("NFC");
    const fault = nameFault(name);
    if (fault !== null) return this.#refuse(this.#name, fault);
    this.#accept();
    named(name);
    return true;
  }

  #submit(named, say) {
    const asked = !document.getElementById("name-row").hidden;
    if (asked && !this.#giveName(named)) return;
    const text = this.#text.value.trimEnd();
    if (!isSeen(text)) {
      this.#text.focus();
      return;
    }
    const over = bytesOver(text);
    if (over > 0) {
      this.#refuse(this.#text, `This is ${over.toLocaleString()} bytes too long for one message.`);
      return;
    }
    this.#accept();
    this.#text.value = "";
    this.#typed();
    this.#draft.say(text);
    this.#text.focus();
    say(text);
  }

  #refuse(input, reason) {
    this.#error.textContent = reason;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    return false;
  }

  #accept() {
    this.#error.textContent = "";
    this.#name.removeAttribute("aria-invalid");
    this.#text.removeAttribute("aria-invalid");
  }

  #typed() {
    this.#back = 0;
    this.#fit();
    if (!this.#refused) this.#accept();
    this.#draft.write(this.#text.value);
  }

  #key(event) {
    if (composes(event)) return;
    if (this.#mention.key(event)) event.preventDefault();
    else if (event.key === "Enter" && sends(event)) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") this.#recall(event);
  }

  /** Goes through the writer's last messages, while nothing else is typed. */
  #recall(event) {
    const { said } = this.#draft;
    const current = this.#back === 0 ? "" : said.at(-this.#back);
    if (this.#text.value !== current) return;
    const back = this.#back + (event.key === "ArrowUp" ? 1 : -1);
    if (back < 0 || back > said.length) return;
    event.preventDefault();
    this.#text.value = back === 0 ? "" : said.at(-back);
    this.#typed();
    this.#back = back;
  }

  /** Makes it as high as its text, up to the limit in the style. */
  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    document.getElementById("send").classList.toggle("ready", isSeen(this.#text.value));
  }
}

/** Whether this Enter sends. On a phone it begins a new line, as there is no other way to one. */
function sends({ shiftKey, ctrlKey, metaKey }) {
  return ctrlKey || metaKey || (!shiftKey && !isOnScreen());
}
