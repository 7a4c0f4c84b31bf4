// What can be done with a message: a bar at its row.
//
// By mouse it stands at the row that is pointed at, by touch at the one that was tapped. By keyboard, the arrows go
// through the messages once the list has the focus: one stop for the Tab key, however many messages there are.

import { element, icon } from "./element.js";
import { CONTROLS } from "./focus.js";
import { phrase } from "./phrase.js";
import { nameOf } from "./rows.js";

const ROW = ".row.message[data-id]";

/** What has a meaning of its own for a tap. */
const OWN = `${CONTROLS}, code`;

export class Actions {
  #scroller;
  #log;
  #does;
  #bar = element("div", { class: "actions", role: "toolbar", "aria-label": phrase("message.actions") });

  /** `does` lists what can be done: `{icon, label, key, fits(message), run(message)}`. */
  constructor(scroller, log, does) {
    this.#scroller = scroller;
    this.#log = log;
    this.#does = does;
    scroller.addEventListener("pointerover", (event) => this.#point(event));
    // A finger leaves when it ends a tap.
    scroller.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.#hide());
    scroller.addEventListener("click", (event) => this.#tap(event));
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#bar.closest(ROW)?.contains(target)) this.#hide(true);
    });
    scroller.addEventListener("keydown", (event) => this.#key(event));
    scroller.addEventListener("focusin", ({ target }) => target.matches(ROW) && this.#show(target));
    scroller.addEventListener("focusout", ({ target, relatedTarget }) => {
      target.removeAttribute("aria-label");
      if (!relatedTarget?.closest?.(ROW)) this.#hide(true);
    });
  }

  #point({ pointerType, buttons, target }) {
    // While a button is pressed, rows may move under a pointer that does not.
    const isHeld = buttons !== 0 || this.#bar.contains(document.activeElement);
    if (pointerType !== "mouse" || isHeld) return;
    const row = target.closest(ROW);
    if (row) this.#show(row);
    else this.#hide();
  }

  #tap(event) {
    const isMouse = event.pointerType ? event.pointerType === "mouse" : matchMedia("(hover: hover)").matches;
    if (isMouse || event.target.closest(OWN) || !document.getSelection().isCollapsed) return;
    const row = event.target.closest(".bubble")?.closest(ROW);
    if (row && !row.contains(this.#bar)) this.#show(row);
    else this.#hide(true);
  }

  #show(row) {
    if (row.contains(this.#bar)) return;
    const message = this.#log.find(row.dataset.id);
    const fitting = message ? this.#does.filter(({ fits }) => fits(message)) : [];
    this.#bar.replaceChildren(...fitting.map((action) => this.#button(action, row)));
    if (fitting.length > 0) row.querySelector(".said").append(this.#bar);
    else this.#bar.remove();
  }

  #button({ icon: name, label, run }, row) {
    const click = () => {
      const message = this.#log.find(row.dataset.id);
      this.#hide(true);
      if (message) run(message);
    };
    return element("button", { type: "button", tabindex: -1, title: label, "aria-label": label, on: { click } }, icon(name));
  }

  /** The bar stays with the row that has the focus, unless `anyway`. */
  #hide(anyway = false) {
    if (!this.#bar.isConnected) return;
    if (!anyway && this.#bar.parentElement?.closest(ROW).contains(document.activeElement)) return;
    // What has the focus passes it on before it goes.
    if (this.#bar.contains(document.activeElement)) this.#focus(this.#bar.closest(ROW));
    this.#bar.remove();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const { target } = event;
    // Small keyboards have no other key to delete.
    const key = event.key === "Backspace" ? "Delete" : event.key;
    const row = target.closest(ROW);
    const takes = this.#bar.contains(target) ? this.#keyInBar(key, target, row) : this.#keyAtRow(key, target, row);
    if (takes) event.preventDefault();
  }

  #keyAtRow(key, target, row) {
    if (target !== this.#scroller && target !== row) return false;
    if (key === "ArrowUp" || key === "ArrowDown") return this.#step(row, key === "ArrowUp" ? -1 : 1);
    if (row === null) return false;
    if (key === "Escape") this.#scroller.focus();
    else if (key === "Enter" || key === "ContextMenu") this.#bar.firstElementChild?.focus();
    else return this.#does.some((action) => action.key === key && this.#run(action, row));
    return true;
  }

  #keyInBar(key, target, row) {
    const buttons = [...this.#bar.children];
    const isRtl = getComputedStyle(this.#bar).direction === "rtl";
    const by = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1 }[key];
    if (by) buttons.at((buttons.indexOf(target) + by) % buttons.length).focus();
    else if (key === "Escape") this.#focus(row);
    return by !== undefined || key === "Escape";
  }

  #run({ fits, run }, row) {
    const message = this.#log.find(row.dataset.id);
    if (!message || !fits(message)) return false;
    run(message);
    return true;
  }

  /** Goes to the message above or below; from the list itself, to the first or last one in view. */
  #step(row, by) {
    const rows = [...this.#scroller.querySelectorAll(ROW)];
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const isInView = (row) => row.getBoundingClientRect().bottom > top && row.getBoundingClientRect().top < bottom;
    const inView = row === null ? rows.filter(isInView) : [];
    const next = row === null ? inView.at(by < 0 ? -1 : 0) : rows[rows.indexOf(row) + by];
    if (next) this.#focus(next);
    return true;
  }

  #focus(row) {
    if (!row?.isConnected) return this.#scroller.focus();
    const message = this.#log.find(row.dataset.id);
    row.tabIndex = -1;
    const words = row.querySelector(".text")?.textContent ?? message?.file?.name ?? "";
    const name = message?.own ? phrase("you") : nameOf(message ?? {});
    row.setAttribute("aria-label", phrase("said", { name, text: words }));
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}
