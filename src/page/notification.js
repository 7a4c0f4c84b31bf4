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
    const options = { body: phrase("notify.on.details"), tag: OWN, data: { address: roomAddress(this.#room) } };
    return (await this.#show(phrase("notify.on"), options)) !== null;
  }

  /** Shows that messages came, in place of an earlier notification of the room. Gives whether it could. */
  async show({ room, id, count, name, text, all, alert }) {
    const who = name ?? phrase("someone");
    const several = all ? "notify.all" : "notify.mentions";
    const called = shownRoom(room);
    const title = count === 1 ? phrase("notify.one", { name: who, room: called }) : phrase(several, { count, room: called });
    const body = count === 1 && !isAction(text) ? text : sentenceOf(who, text);
    const data = { address: roomAddress(room) };
    const shown = await this.#show(title, { body, tag: `${OWN}/${room}`, renotify: alert, dir: "auto", data });
    if (shown === null) return false;
    shown.of = id;
    this.#shown.set(room, shown);
    shown.addEventListener?.("close", () => this.#shown.get(room) === shown && this.#shown.delete(room));
    shown.addEventListener?.("click", () => {
      focus();
      shown.close();
      if (room !== this.#room) location.assign(roomAddress(room));
    });
    return true;
  }

  async #show(title, options) {
    if (permission() !== "granted") return null;
    // The page has a sound of its own.
    const all = { silent: true, ...options };
    const shown = byPage(title, all) ?? (await byWorker(title, all));
    this.#refused = shown === null;
    return shown;
  }
}

function byPage(title, options) {
  try {
    return new Notification(title, options);
  } catch {
    // Phones show only those of a worker, which hears of the click too.
    return null;
  }
}

async function byWorker(title, options) {
  try {
    const home = await navigator.serviceWorker.getRegistration();
    await home.showNotification(title, options);
    const close = async () => {
      for (const shown of await home.getNotifications({ tag: options.tag })) shown.close();
    };
    return { close };
  } catch {
    return null;
  }
}
