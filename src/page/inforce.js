// What is in force in the room: its topic, a lock, slow mode. Whoever is the operator decides on it here.

import { askText } from "./asktext.js";
import { phrase } from "./phrase.js";
import { isPrivate, keepTopic, shownRoom } from "./private.js";
import { isRule, lasting } from "./rule.js";
import { element } from "./element.js";
import { about, setTopic } from "./wire.js";

/** The most letters of a topic, and of a lock's notice. */
const MOST = { topic: 200, notice: 1_000 };

/** What slow mode may be, in seconds between two messages of a person. */
const SLOW = [0, 10, 30, 60, 300, 3_600];

const part = (id) => document.getElementById(id);

export class InForce {
  #room;
  #name;
  #operator;
  #topic = part("topic").textContent;
  #locked = !part("lock").hidden;
  #notice = part("lock-notice").textContent;
  #slow = Number(document.body.dataset.slow);

  /** `name()` is the reader's name. */
  constructor(room, name, operator) {
    this.#room = room;
    this.#name = name;
    this.#operator = operator;
    keepTopic(room, this.#topic);
    for (const id of ["topic", "topic-set"]) part(id).addEventListener("click", () => this.#askTopic());
    part("operator-button").addEventListener("click", () => (operator.is ? operator.drop() : operator.ask()));
    part("lock-button").addEventListener("click", () => this.#askLock());
    part("slow-choice").addEventListener("change", ({ target }) => operator.does("slow", { seconds: Number(target.value) }));
    this.show();
  }

  /** Takes new entries of the room's order. If some were lost, the server is asked. */
  take(entries, gap) {
    const rules = entries.filter(isRule);
    for (const { kind, text, seconds } of rules) {
      if (kind === "topic") this.#topic = text;
      else if (kind === "slowed") this.#slow = seconds ?? 0;
      else if (kind === "locked" || kind === "unlocked") [this.#locked, this.#notice] = [kind === "locked", text];
      else if (this.#operator.is) this.#operator.renew();
    }
    if (gap) this.#renew();
    else if (rules.length > 0) this.show();
    return rules.length > 0;
  }

  async #renew() {
    try {
      const { topic, locked, slow } = await about(this.#room);
      [this.#topic, this.#locked, this.#notice, this.#slow] = [topic?.text ?? "", locked !== null, locked?.text ?? "", slow];
      this.show();
    } catch {
      // What is in force is told again when it changes.
    }
  }

  show() {
    const { is } = this.#operator;
    keepTopic(this.#room, this.#topic);
    const topic = part("topic");
    topic.textContent = this.#topic;
    topic.title = this.#topic;
    topic.hidden = this.#topic === "" || isPrivate(this.#room);
    if (isPrivate(this.#room)) for (const called of document.querySelectorAll("h1, #share-room")) called.textContent = shownRoom(this.#room);
    part("lock").hidden = !this.#locked;
    part("lock-notice").textContent = this.#notice;
    part("composer").classList.toggle("locked", this.#locked && !is);
    const slow = part("slow");
    slow.hidden = this.#slow === 0 || this.#locked;
    if (this.#slow > 0) slow.textContent = phrase("slow", { time: lasting(this.#slow) });
    part("order").classList.toggle("operates", is);
    part("operator-button").textContent = phrase(is ? "operator.drop" : "operator.become");
    part("lock-button").textContent = phrase(this.#locked ? "lock.end" : "lock.begin");
    if (is) this.#showSlow();
  }

  /** Times in words take a browser long to make, and only the operator sees these. */
  #showSlow() {
    const choice = part("slow-choice");
    const has = (seconds) => [...choice.options].some(({ value }) => value === String(seconds));
    for (const seconds of [...SLOW, this.#slow]) {
      if (!has(seconds)) choice.append(element("option", { value: seconds }, seconds ? lasting(seconds) : phrase("slow.off")));
    }
    choice.value = String(this.#slow);
  }

  #askTopic() {
    const run = (topic) => setTopic(this.#room, topic, this.#name(), this.#operator.token);
    askText({ title: phrase("topic"), value: this.#topic, most: MOST.topic, yes: phrase("save"), run });
  }

  #askLock() {
    if (this.#locked) return this.#operator.does("unlock");
    const run = (notice) => this.#operator.does("lock", { notice });
    askText({ title: phrase("lock.notice"), most: MOST.notice, yes: phrase("lock.begin"), run });
  }
}
