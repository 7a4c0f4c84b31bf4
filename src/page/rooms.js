// The other rooms: which there are, what is unread in those that this browser follows, and the form for a new one.

import { builtAgain, keepFocus, twinOf } from "./focus.js";
import { noticesOf, onFollowed, visited } from "./followed.js";
import { isRoomName } from "./limits.js";
import { askText } from "./asktext.js";
import { keepHere } from "./kept.js";
import { afterPaint } from "./later.js";
import { byName } from "./order.js";
import { phrase } from "./phrase.js";
import { keepTopic, onTopic, shownRoom } from "./private.js";
import { roomRow } from "./roomrow.js";
import { roomAddress } from "./site.js";
import { shown } from "./unread.js";
import { newRoom, rooms, setTopic } from "./wire.js";

/** What the server has told is good for so long, in milliseconds. After that it is asked when somebody looks. */
const FRESH = 20_000;

/** After a tab was hidden for so long, the server is asked again, in milliseconds. */
const LONG = 5 * 60 * 1000;

/** A message that is read at once was never unread: counts are shown so much later, in milliseconds. */
const MOMENT = 300;

export class Rooms {
  #room;
  #name;
  #unreadElsewhere;
  #panel = document.getElementById("rooms");
  #list = document.getElementById("room-list");
  #listed = [];
  #unread = new Map();
  #counted = new Map();
  #counting = false;
  #times = new Map();
  #asked = -Infinity;
  #looking = false;
  #rows = new Map();
  #opened = null;

  /** `name()` is the reader's name, and `unreadElsewhere(sum)` is told how much is unread in the other rooms. */
  constructor(room, bus, name, unreadElsewhere) {
    this.#room = room;
    this.#name = name;
    this.#unreadElsewhere = unreadElsewhere;
    bus.on("pong", ({ unread, line }) => this.#pong(unread ?? new Map(), line));
    bus.on("news", ({ room, messages }) => this.#news(room, messages));
    onFollowed(() => this.show());
    onTopic(() => this.show());
    document.addEventListener("visibilitychange", () => this.#look(LONG));
    // The panel may open, or stand beside the chat all the time.
    this.#panel.addEventListener("toggle", ({ newState }) => newState === "open" && this.#look(0));
    for (const type of ["pointerenter", "focusin"]) this.#panel.addEventListener(type, () => this.#look(FRESH));
    // Nothing moves beneath the pointer.
    this.#list.addEventListener("pointerleave", () => this.show());
    this.#form();
    afterPaint(() => {
      this.show();
      this.#look(0);
    });
  }

  #form() {
    const input = document.getElementById("new-room-name");
    const error = document.getElementById("new-room-error");
    document.getElementById("new-room").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = input.value.trim().replace(/^#/, "").replace(/\s+/g, "-").normalize("NFC");
      if (!isRoomName(name)) {
        error.textContent = phrase("rooms.fault");
        return;
      }
      location.assign(roomAddress(name));
    });
    input.addEventListener("input", () => (error.textContent = ""));
    document.getElementById("private-button").addEventListener("click", () => this.#askPrivate());
  }

  /** Makes a private room with a topic, and goes there to pass it on. */
  #askPrivate() {
    const run = async (topic) => {
      const room = await newRoom();
      if (topic !== "") await setTopic(room, topic, this.#name());
      keepTopic(room, topic);
      keepHere(`share/${room}`, true);
      location.assign(roomAddress(room));
    };
    askText({ title: phrase("private.topic"), most: 200, yes: phrase("private.make"), run });
  }

  /** Asks the server, if its last answer is older than this. */
  async #look(age) {
    if (document.hidden || this.#looking || Date.now() - this.#asked < age) return;
    this.#looking = true;
    try {
      this.#listed = await rooms();
      this.#asked = Date.now();
      this.show();
    } catch {
      // The line says why. It is asked again when the server is reached.
      this.#asked = -Infinity;
    }
    this.#looking = false;
  }

  #pong(unread, line) {
    if (line.state === "up" && this.#asked === -Infinity) this.#look(0);
    this.#counted = unread;
    const same = unread.size === this.#unread.size && [...unread].every(([room, n]) => this.#unread.get(room) === n);
    if (same || this.#counting) return;
    this.#counting = true;
    setTimeout(() => {
      this.#counting = false;
      this.#unread = this.#counted;
      this.show();
    }, MOMENT);
  }

  #news(room, messages) {
    const said = messages.filter(({ kind }) => kind === "message");
    if (said.length === 0) return;
    this.#times.set(room, said.at(-1).at);
    this.show();
  }

  /** Shows the list again. Rows that are as they were stay. */
  show() {
    const rooms = this.#sorted(this.#all());
    const rows = new Map();
    for (const each of rooms) {
      const key = JSON.stringify(each);
      rows.set(key, this.#rows.get(key) ?? roomRow(each, { toggle: () => this.#toggle(each.room) }));
    }
    const places = [...this.#list.children];
    const renew = () => {
      for (const row of places) if (![...rows.values()].includes(row)) row.remove();
      [...rows.values()].forEach((row, n) => {
        if (this.#list.children[n] !== row) this.#list.insertBefore(row, this.#list.children[n] ?? null);
      });
    };
    keepFocus(renew, (lost) => this.#heir(lost, places));
    this.#rows = rows;
    this.#sum(rooms);
  }

  /** The rooms that the server lists, those that were visited from here, and this one. */
  #all() {
    const known = new Set(visited());
    const all = new Map(this.#listed.map((each) => [each.room, each]));
    for (const room of [this.#room, ...known]) if (!all.has(room)) all.set(room, { room, people: 0, at: null });
    return [...all.values()].map(({ room, people, at: told }) => {
      const at = Math.max(told ?? 0, this.#times.get(room) ?? 0);
      const current = room === this.#room;
      const visited = known.has(room);
      const notices = visited || current ? noticesOf(room) : "mentions";
      const unread = visited && notices !== "none" && !current ? (this.#unread.get(room) ?? 0) : 0;
      return { room, called: shownRoom(room), people, at, current, visited, notices, unread, opened: room === this.#opened };
    });
  }

  /** This room first, then those with unread messages, then by their newest message, then by their names. */
  #sorted(all) {
    const rank = ({ current, unread }) => (current ? 0 : unread > 0 ? 1 : 2);
    all.sort((a, b) => rank(a) - rank(b) || b.at - a.at || byName(a.called, b.called));
    if (!matchMedia("(hover: hover)").matches || !this.#list.matches(":hover")) return all;
    const before = Array.from(this.#list.children, ({ dataset }) => dataset.room);
    const place = ({ room }) => (before.includes(room) ? before.indexOf(room) : before.length);
    return all.sort((a, b) => place(a) - place(b));
  }

  /** What has the focus instead of something in a row that was built again, or went away. */
  #heir(lost, places) {
    const row = lost.closest("li");
    const again = row && builtAgain(row, this.#list);
    if (again) return twinOf(lost, row, again) ?? again.querySelector("a, button");
    return (this.#list.children[places.indexOf(row)] ?? this.#list.lastElementChild)?.querySelector("a");
  }

  #toggle(room) {
    this.#opened = this.#opened === room ? null : room;
    this.show();
  }

  #sum(rooms) {
    const sum = rooms.reduce((sum, { unread }) => sum + unread, 0);
    const badge = document.getElementById("rooms-badge");
    badge.hidden = sum === 0;
    if (sum > 0) badge.textContent = shown(sum);
    const label = sum === 0 ? phrase("rooms") : phrase("rooms.unread", { n: sum, count: shown(sum) });
    document.getElementById("rooms-button").setAttribute("aria-label", label);
    this.#unreadElsewhere(sum);
  }
}
