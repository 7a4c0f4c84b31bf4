// The other rooms: their names, their unread messages, and the form for a new one.

import { element, hue, initial } from "./element.js";
import { keepFocus } from "./focus.js";
import { recall } from "./kept.js";
import { isRoomName } from "./limits.js";
import { lately } from "./time.js";
import { poll, rooms } from "./wire.js";

/** How often a visible tab looks, in milliseconds. */
const EVERY = 20_000;

/** Unread messages are counted up to this number. */
const MANY = 99;

export class Rooms {
  #room;
  #counts = new Map();
  #looking = false;

  constructor(room) {
    this.#room = room;
    document.getElementById("rooms").addEventListener("toggle", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.look(), EVERY);
    this.#form();
    this.look();
  }

  #form() {
    const input = document.getElementById("new-room-name");
    const error = document.getElementById("new-room-error");
    document.getElementById("new-room").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = input.value.trim().replace(/^#/, "").replace(/\s+/g, "-").normalize("NFC");
      if (!isRoomName(name)) {
        error.textContent = "1 to 64 letters, digits, '-', '_' or '.'";
        return;
      }
      location.assign(`/chat/${encodeURIComponent(name)}`);
    });
    input.addEventListener("input", () => (error.textContent = ""));
  }

  async look() {
    if (document.hidden || this.#looking) return;
    this.#looking = true;
    try {
      const all = await rooms();
      for (const each of all) each.unread = await this.#unread(each);
      this.#show(all);
    } catch {
      // The line says why. The next look is soon.
    }
    this.#looking = false;
  }

  /** How many messages have come since this browser read the room; none in a room never read. */
  async #unread({ room, latest }) {
    const read = recall(`read/${room}`);
    if (room === this.#room || read === null || read === latest) return 0;
    const known = this.#counts.get(room);
    if (known?.latest === latest && known.read === read) return known.unread;
    let unread = 0;
    let reply = { next: read, messages: [] };
    do {
      reply = await poll(room, { after: reply.next, wait: 0 });
      unread += reply.messages.filter(({ kind }) => kind === "message").length;
    } while (reply.messages.length > 0 && unread <= MANY);
    this.#counts.set(room, { latest, read, unread });
    return unread;
  }

  #show(all) {
    if (!all.some(({ room }) => room === this.#room)) all.unshift({ room: this.#room, people: 0, unread: 0 });
    const rank = ({ room, unread }) => (room === this.#room ? 0 : unread > 0 ? 1 : 2);
    const time = ({ at }) => (at ? Date.parse(at) : 0);
    all.sort((a, b) => rank(a) - rank(b) || time(b) - time(a));
    const list = document.getElementById("room-list");
    const rows = all.map((each) => this.#row(each));
    keepFocus(
      () => list.replaceChildren(...rows),
      ({ href }) => [...list.querySelectorAll("a")].find((link) => link.href === href),
    );
    const sum = all.reduce((sum, { unread }) => sum + unread, 0);
    const badge = document.getElementById("rooms-badge");
    badge.hidden = sum === 0;
    badge.textContent = shown(sum);
    const label = sum === 0 ? "Rooms" : `Rooms: ${shown(sum)} unread`;
    document.getElementById("rooms-button").setAttribute("aria-label", label);
  }

  #row({ room, people, at, unread }) {
    const here = people === 1 ? "1 person" : `${people} people`;
    const facts = [people > 0 && here, at && lately(at)].filter(Boolean).join(" · ");
    const link = element(
      "a",
      { href: `/chat/${encodeURIComponent(room)}`, "aria-current": room === this.#room && "page" },
      element("span", { class: `avatar square h${hue(room)}`, "aria-hidden": "true" }, initial(room)),
      element("span", { class: "about" }, element("bdi", {}, room), element("small", {}, facts)),
    );
    if (unread > 0) {
      link.append(
        element("span", { class: "badge", "aria-label": `${shown(unread)} unread` }, shown(unread)),
      );
    }
    return element("li", {}, link);
  }
}

function shown(count) {
  return count > MANY ? `${MANY}+` : String(count);
}
