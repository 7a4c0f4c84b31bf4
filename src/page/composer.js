// The form to write in: the name once, then one message after another.

import { Attach } from "./attach.js";
import { Draft } from "./draft.js";
import { composes, isOnScreen } from "./keyboard.js";
import { bytesOver, isSeen, nameFault } from "./limits.js";
import { Mention } from "./mention.js";
import { phrase } from "./phrase.js";
import { Subject } from "./subject.js";

export class Composer {
  #form = document.getElementById("composer");
  #text = document.getElementById("message");
  #name = document.getElementById("name");
  #error = document.getElementById("message-error");
  #draft;
  #attach;
  #mention;
  #subject = new Subject(() => this.cancel(), () => this.#keepSubject());
  #aside = "";
  #does;
  #known = null;
  #refused = false;

  /**
   * `named(name)` when a name is given, `say(text, answered, files)` when a message is, which may answer the one with an id, `change(message, text)` when a message has
   * another text, which may be none, and `editLast()` when the writer wants to edit what they said last.
   */
  constructor({ room, name, names, named, ...does }) {
    this.#does = does;
    this.#draft = new Draft(room);
    this.#attach = new Attach({ text: this.#text, changed: () => this.#fit(), refuse: (why) => this.#refuse(this.#text, why) });
    this.#mention = new Mention(this.#text, document.getElementById("mentions"), names);
    this.#form.noValidate = true;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(named);
    });
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("input", () => this.#typed());
    this.#name.addEventListener("keydown", (event) => this.#nameKey(event, named));
    document.getElementById("me").addEventListener("click", () => this.askName());
    this.#text.enterKeyHint = isOnScreen() ? "enter" : "send";
    this.#text.value ||= this.#draft.find();
    this.show(name);
    // Before the first look at it, and when lines get longer or shorter: a phone is turned, or a panel opens beside it.
    let width = 0;
    new ResizeObserver(() => {
      if (this.#text.clientWidth === width) return;
      width = this.#text.clientWidth;
      this.#fit();
    }).observe(this.#text);
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

  /** Edits a message of the writer's own. What is being written waits aside. */
  change(message, text = message.text) {
    if (!this.#subject.edited) this.#aside = this.#text.value;
    this.#subject.edit(message);
    this.#put(text);
    this.#text.focus();
    this.#text.setSelectionRange(text.length, text.length);
  }

  /** Answers a message with what is being written. */
  answer(message) {
    if (this.#subject.edited) this.cancel();
    this.#subject.answer(message);
    this.#text.focus();
  }

  /** Goes on with the message that was edited or answered before this tab was loaded again. `find(id)` finds it. */
  async resume(find) {
    const kept = this.#draft.subject;
    if (kept === null) return;
    const message = await find(kept.of);
    // Nobody knows what became of it.
    if (!message && kept.text && !this.#subject.isThere) this.edit(kept.text);
    if (!message || message.deleted || this.#subject.isThere) return this.#keepSubject();
    if (kept.text === undefined) this.answer(message);
    else this.change(message, kept.text);
  }

  #keepSubject() {
    const { edited, answered } = this.#subject;
    const of = (edited ?? answered)?.id;
    this.#draft.subject = of ? { of, text: edited ? this.#text.value : undefined } : null;
  }

  /** Ends what began with a message, and leaves the message as it is. */
  cancel() {
    const wasEdited = this.#subject.edited !== null;
    this.#subject.clear();
    if (wasEdited) this.#put(this.#aside);
    this.#text.focus();
  }

  /** The message with this id is another now. Gives whether it was being edited and is no more. */
  changed(id, isDeleted) {
    const isLost = isDeleted && this.#subject.edited?.id === id;
    if (isLost) this.cancel();
    else this.#subject.renew(id);
    return isLost;
  }

  /** A message that waited may be in the room meanwhile: `cursorOf(id)` says where. */
  moved(cursorOf) {
    const { edited } = this.#subject;
    const id = edited?.n === undefined ? undefined : cursorOf(edited.id);
    if (id !== undefined) this.#subject.edit({ ...edited, id, n: undefined });
  }

  #put(text) {
    this.#text.value = text;
    this.#typed();
  }

  /** Puts a text that was not sent before the text that is being written. */
  edit(text) {
    if (this.#subject.edited) this.cancel();
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

  #submit(named) {
    const asked = !document.getElementById("name-row").hidden;
    if (asked && !this.#giveName(named)) return;
    const text = this.#text.value.trimEnd();
    const { edited } = this.#subject;
    if (edited && !isSeen(text)) {
      this.#does.change(edited, "");
      return;
    }
    if (!isSeen(text) && (edited || this.#attach.count === 0)) {
      this.#text.focus();
      return;
    }
    const over = bytesOver(text);
    if (over > 0) {
      this.#refuse(this.#text, phrase("message.over", { count: over }));
      return;
    }
    this.#accept();
    if (edited) {
      this.cancel();
      this.#does.change(edited, text);
      return;
    }
    const { answered } = this.#subject;
    this.#subject.clear();
    this.#put("");
    this.#text.focus();
    this.#does.say(isSeen(text) ? text : "", answered?.id, this.#attach.take());
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
    this.#fit();
    if (!this.#refused) this.#accept();
    // What an edited message says is kept by the server, and by this tab while it is edited.
    if (this.#subject.edited) this.#keepSubject();
    else this.#draft.write(this.#text.value);
  }

  #key(event) {
    if (composes(event)) return;
    if (this.#mention.key(event)) event.preventDefault();
    else if (event.key === "Enter" && sends(event)) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && this.#subject.isThere) this.cancel();
    else if (event.key === "ArrowUp" && this.#text.value === "" && !this.#subject.edited) {
      event.preventDefault();
      this.#does.editLast();
    }
  }

  /** Makes it as high as its text, up to the limit in the style. */
  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    document.getElementById("send").classList.toggle("ready", isSeen(this.#text.value) || this.#attach.count > 0);
  }
}

/** Whether this Enter sends. On a phone it begins a new line, as there is no other way to one. */
function sends({ shiftKey, ctrlKey, metaKey }) {
  return ctrlKey || metaKey || (!shiftKey && !isOnScreen());
}
