// Notifications of the system.

import { phrase } from "./phrase.js";
import { shownRoom } from "./private.js";
import { OWN, roomAddress } from "./site.js";
import { isAction, sentenceOf } from "./text.js";

/** Whether the browser shows them: `granted`, `denied`, `default` if it was not asked, `insecure` or `missing`. */
export function permission() {
  if (!globalThis.isSecureContext) return "insecure";
  return globalThis.Notification?.permission ?? "missing";
}

export class Notifications {
  #room;
  #shown = new Map();
  #refused = false;

  /** `room` is the room of this tab. */
  constructor(bus, room) {
    this.#room = room;
    bus.on("want", ({ room, looking }) => looking && this.#shown.get(room)?.close());
    // What it shows may be no more.
    bus.on("news", ({ room, messages }) => {
      const shown = this.#shown.get(room);
      if (messages.some(({ of }) => of && of === shown?.of)) shown.close();
    });
  }

  /** What `permission` says, or `missing` if the browser has refused to show one. */
  get state() {
    const state = permission();
    return state === "granted" && this.#refused ? "missing" : state;
  }

  /** Asks for leave, and shows one as a proof. Has to be called by a click or a key. */
  async begin() {
    if (permission() === "default") await Notification.requestPermission();
    if (permission() !== "granted") return false;
    return this.#show(phrase("notify.on"), { body: phrase("notify.on.details"), tag: OWN }) !== null;
  }

  /** Shows that messages came, in place of an earlier notification of the room. Gives whether it could. */
  show({ room, id, count, name, text, all, alert }) {
    const who = name ?? phrase("someone");
    const several = all ? "notify.all" : "notify.mentions";
    const called = shownRoom(room);
    const title = count === 1 ? phrase("notify.one", { name: who, room: called }) : phrase(several, { count, room: called });
    const body = count === 1 && !isAction(text) ? text : sentenceOf(who, text);
    const shown = this.#show(title, { body, tag: `${OWN}/${room}`, renotify: alert, dir: "auto" });
    if (shown === null) return false;
    shown.of = id;
    this.#shown.set(room, shown);
    shown.addEventListener("close", () => this.#shown.get(room) === shown && this.#shown.delete(room));
    shown.addEventListener("click", () => {
      focus();
      shown.close();
      if (room !== this.#room) location.assign(roomAddress(room));
    });
    return true;
  }

  #show(title, options) {
    if (permission() !== "granted") return null;
    try {
      // The page has a sound of its own.
      const shown = new Notification(title, { silent: true, ...options });
      this.#refused = false;
      return shown;
    } catch {
      // Some phones show them only for what is installed.
      this.#refused = true;
      return null;
    }
  }
}
