// Searching: what was said in this room, or in all that this browser follows.

import { element } from "./element.js";
import { visited } from "./followed.js";
import { clock } from "./locale.js";
import { phrase } from "./phrase.js";
import { nameOf } from "./rows.js";
import { roomAddress } from "./site.js";
import { isoOf } from "./stamp.js";
import { dayName, full, lately } from "./time.js";
import { search } from "./wire.js";
import { marked, wordsOf } from "./words.js";

/** The most rooms that the server searches at once. */
const ROOMS = 32;

const isMac = /Mac|iP/.test(navigator.platform);

/** Whether this is the browser's own key for finding something. On some keyboards it bears another letter. */
function finds({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  const isF = /^[a-z]$/i.test(key) ? key.toLowerCase() === "f" : code === "KeyF";
  return isF && (isMac ? metaKey && !ctrlKey : ctrlKey && !metaKey) && !altKey && !shiftKey;
}

/** How much was found, in so many rooms; whether that is all. */
function foundWords(count, rooms, isAll) {
  const key = count === 0 ? "search.nothing" : isAll ? "search.all" : "search.newest";
  return phrase(key, { count, where: rooms > 1 ? phrase("search.where", { count: rooms }) : "" });
}

export class Search {
  #room;
  #go;
  #dialog = document.getElementById("search");
  #input = document.getElementById("search-words");
  #everywhere = document.getElementById("search-everywhere");
  #state = document.getElementById("search-state");
  #list = document.getElementById("search-found");
  #older = document.getElementById("search-older");
  #asked = null;
  #asking = new AbortController();

  /** `go(id)` leads to a message of this room. */
  constructor(room, go) {
    this.#room = room;
    this.#go = go;
    document.getElementById("search-button").addEventListener("click", () => this.#open());
    document.getElementById("search-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#asking.abort());
    document.getElementById("search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin();
    });
    this.#everywhere.addEventListener("change", () => this.#asked && this.#begin());
    this.#older.addEventListener("click", () => this.#next());
    document.addEventListener("keydown", (event) => {
      if (!finds(event)) return;
      // Once more, it is the browser's own: it finds what the page shows.
      if (this.#dialog.open) this.#dialog.close();
      else if (!document.querySelector("dialog[open]")) {
        event.preventDefault();
        this.#open();
      }
    });
  }

  #open() {
    this.#dialog.showModal();
    this.#input.focus();
    this.#input.select();
  }

  #begin() {
    const words = wordsOf(this.#input.value);
    this.#list.replaceChildren();
    this.#older.hidden = true;
    this.#asked = null;
    if (words.length === 0) {
      this.#asking.abort();
      this.#say(phrase("search.empty"));
      return;
    }
    const rooms = [this.#room];
    if (this.#everywhere.checked) rooms.push(...visited().filter((room) => room !== this.#room));
    this.#asked = { words, rooms: rooms.slice(0, ROOMS), q: this.#input.value, before: null, since: null };
    this.#next();
  }

  /** Looks for the next page. One that is empty is no end: the server looks only so far at once. */
  async #next() {
    this.#asking.abort();
    const { signal } = (this.#asking = new AbortController());
    const asked = this.#asked;
    const hadFocus = document.activeElement === this.#older;
    try {
      for (let found = 0; found === 0;) {
        this.#say(asked.since === null ? phrase("search.looking") : phrase("search.looking.since", { time: lately(asked.since) }));
        const { messages, previous, since, gap } = await search(asked.rooms, asked, signal);
        // What was found before is of a past that the server has lost.
        if (gap) this.#list.replaceChildren();
        this.#list.append(...messages.reverse().map((message) => this.#row(message, asked)));
        [found, asked.before, asked.since] = [messages.length, previous, since];
        if (previous === null) break;
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      return;
    }
    this.#tell(asked);
    if (hadFocus && this.#older.hidden) (this.#list.lastElementChild?.querySelector("a") ?? this.#input).focus();
  }

  #tell({ before, rooms }) {
    const { length } = this.#list.children;
    this.#say(foundWords(length, rooms.length, before === null));
    this.#offer(before === null ? null : phrase("search.older"));
  }

  #fail(error) {
    this.#say(error.status ? error.message : phrase("search.unreached"));
    // What was refused for good would be refused again.
    this.#offer(error.status && !error.passing && !error.foreign ? null : phrase("try"));
  }

  #offer(what) {
    this.#older.hidden = what === null;
    this.#older.textContent = what;
  }

  #say(words) {
    this.#state.textContent = words;
  }

  #row(message, { words, rooms }) {
    const { id, room, at, text, file } = message;
    const excerpt = [text, file?.name].filter(Boolean).join(" · ");
    const address = `${room === this.#room ? "" : roomAddress(room)}#${id}`;
    const leave = () => {
      this.#dialog.close();
      // The address may name it already, while the reader is elsewhere.
      if (location.hash === address) this.#go(id);
    };
    const link = element(
      "a",
      { href: address, on: { click: leave } },
      element("b", { dir: "auto" }, marked(nameOf(message), words)),
      rooms.length > 1 && element("span", { class: "tag", dir: "auto" }, room),
      element("time", { datetime: isoOf(at), title: full(at) }, `${dayName(at)}, ${clock(at)}`),
      element("span", { class: "excerpt", dir: "auto" }, marked(excerpt, words)),
    );
    return element("li", {}, link);
  }
}
