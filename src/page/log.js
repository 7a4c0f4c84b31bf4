// The list of messages: as long as you like, with few nodes.
//
// Messages stand in chunks. Only the chunks near the visible part are built; the others are empty
// boxes with their last height, or a guess.

import { Changes } from "./changes.js";
import { keepFocus, twinOf } from "./focus.js";
import { keepPlace } from "./place.js";
import { Presence, isPresence } from "./presence.js";
import { isRule, ruleRow } from "./rule.js";
import { continues, dayRow, gapRow, markSent, markerRow, messageRow, plainRow, tellDay } from "./rows.js";
import { dayOf } from "./time.js";

/** The rows of a chunk. People who come and go one after another are one row, and stay in one chunk. */
const CHUNK = 40;

/** The height of a row that was never built, in pixels. */
const GUESS = 52;

/** How near to the visible part a chunk is built, in pixels. */
const MARGIN = 1_000;

/** How far from the end still counts as the end, in pixels. */
const END = 60;

/** How long a message is lit up, in milliseconds. */
const LIT = 4_000;

/** Over this the log drops its oldest messages; history brings them back. */
const MOST = 10_000;

export class Log {
  #scroller;
  #place;
  #context;
  #chunks = [];
  #ids = new Set();
  #rows = new Map();
  #changes = new Changes();
  #marked = null;
  #lit = null;
  #lighting = null;
  #grown = new Set();
  #near;
  #stuck = true;
  #top = 0;

  /** `scroller` scrolls, `place` holds the chunks. */
  constructor(scroller, place, context) {
    this.#scroller = scroller;
    this.#place = place;
    this.#context = context;
    place.replaceChildren();
    this.#near = new IntersectionObserver((entries) => this.#adapt(entries), {
      root: scroller,
      rootMargin: `${MARGIN}px 0px`,
    });
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // The end stays in view when a keyboard opens or the window gets smaller.
    new ResizeObserver(() => this.#stuck && this.toEnd()).observe(scroller);
    new ResizeObserver(() => this.#stuck && this.toEnd()).observe(place.parentElement);
  }

  /** Whether the newest message is in view. */
  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < END;
  }

  get oldest() {
    return this.#chunks[0]?.items.find((item) => item.id) ?? null;
  }

  get newest() {
    return this.#last() ?? null;
  }

  get size() {
    return this.#ids.size;
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** The message with this id, or null. */
  find(id) {
    for (const { items } of this.#chunks) for (const item of items) if (item.id === id && id) return item;
    return null;
  }

  /** So many of the newest messages, from the last gap on. */
  tail(most) {
    const items = this.#chunks.slice(-3).flatMap((chunk) => chunk.items);
    return items.slice(items.findLastIndex(({ kind }) => kind === "gap") + 1).slice(-most);
  }

  /** The newest message of the reader's own that is not deleted, or null. */
  get lastOwn() {
    const isOwn = (item) => item.kind === "message" && item.own && !item.deleted;
    return this.#chunks.findLast(({ items }) => items.some(isOwn))?.items.findLast(isOwn) ?? null;
  }

  /** Changes messages as these entries say, which came after them. */
  change(entries) {
    const changed = entries.filter((entry) => this.#changes.hear(entry, this.find(entry.of)));
    if (changed.length > 0) this.refresh(...changed.map(({ of }) => of));
  }

  /** Makes the changes of a message that was read before this page heard of them. */
  catchUp(message) {
    return this.#changes.catchUp(message);
  }

  /** Whether the change with this id was made. */
  hasChange(id) {
    return this.#changes.has(id);
  }

  toEnd() {
    this.#stuck = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
  }

  /** Only a reader who scrolls up leaves the end. Rows may have grown meanwhile, as when a font has come. */
  #scrolled() {
    const { scrollTop } = this.#scroller;
    if (this.atEnd) this.#stuck = true;
    else if (scrollTop < this.#top) this.#stuck = false;
    this.#top = scrollTop;
  }

  /** Adds newer messages, and a line before them if something between is lost. */
  append(messages, gap = false) {
    if (gap && this.#chunks.length > 0) this.#add({ kind: "gap", at: messages[0]?.at }, true);
    const fresh = messages.filter((message) => !this.has(message.id));
    // If many come at once, only the last are built.
    fresh.forEach((message, index) => this.#add(message, fresh.length - index <= 2 * CHUNK));
    this.#showPresence();
    if (this.#stuck) {
      while (this.size > MOST && this.#chunks.length > 1) this.#forget(this.#chunks[0]);
      this.toEnd();
    }
  }

  /** Adds older messages; what is in view stays where it is. */
  prepend(messages) {
    const fresh = messages.filter((message) => !this.has(message.id)).map((message) => this.catchUp(message));
    this.#keepPlace(() => {
      const following = this.#chunks[0];
      if (following) while (isPresence(following.items[0]) && isPresence(fresh.at(-1))) this.#addBefore(following, fresh.pop());
      for (let end = fresh.length; end > 0;) {
        const start = startOf(fresh, end);
        const chunk = this.#chunk(fresh.slice(start, end));
        this.#place.prepend(chunk.box);
        this.#chunks.unshift(chunk);
        this.#guess(chunk);
        end = start;
      }
      // Its first row may no longer begin a day or a run.
      if (following?.built) this.#build(following);
    });
  }

  /** Marks where the reader stopped: before the message with this id, or nowhere. */
  mark(id) {
    if (id === this.#marked) return;
    const changed = [this.#marked, id];
    this.#marked = id;
    this.refresh(...changed);
  }

  /** The messages of others after the message with this id. */
  saidAfter(id) {
    return this.saidFrom(id).filter((item) => item.id !== id);
  }

  /** The messages of others from the message with this id on. */
  saidFrom(id) {
    const items = this.#chunks.flatMap((chunk) => chunk.items);
    const start = items.findIndex((item) => item.id === id);
    return items.slice(Math.max(0, start)).filter((item) => item.kind === "message" && !item.own);
  }

  /** Whether the message with this id is in view from its beginning, if the end is. */
  shows(id) {
    const row = this.#rows.get(id);
    if (!row) return false;
    return row.getBoundingClientRect().top >= this.#scroller.getBoundingClientRect().top - 1;
  }

  /** Learns whether a message is the reader's own. */
  setOwn(id, own) {
    for (const { items } of this.#chunks) {
      for (const item of items) if (item.id === id) item.own = own;
    }
    this.refresh(id);
  }

  /** Builds the rows of these messages, those around them, and those of their answers again. */
  refresh(...ids) {
    this.#keepPlace(() => {
      this.#chunks.forEach((chunk, index) => {
        const touched = [chunk, this.#chunks[index + 1]].some((near) =>
          near?.items.some((item) => item.id && (ids.includes(item.id) || ids.includes(item.reply_to))),
        );
        if (touched && chunk.built) this.#build(chunk);
      });
    });
  }

  /** Builds everything in view again. */
  refreshAll() {
    this.#keepPlace(() => this.#chunks.filter((chunk) => chunk.built).forEach((chunk) => this.#build(chunk)));
  }

  /** Writes the names of the days again, when a new day has begun. */
  tellDays() {
    for (const row of this.#place.querySelectorAll(".row.day")) tellDay(row);
  }

  /** Brings a message to the middle of the view, and lights it up for a while. */
  light(id) {
    const chunk = this.#chunks.find(({ items }) => items.some((item) => item.id === id));
    if (!chunk) return;
    this.#unlight();
    this.#lit = id;
    this.#build(chunk);
    clearTimeout(this.#lighting);
    this.#lighting = setTimeout(() => this.#unlight(), LIT);
    const { top, height } = this.#rows.get(id).getBoundingClientRect();
    const above = Math.max(48, (this.#scroller.clientHeight - height) / 2);
    this.#stuck = false;
    this.#scroller.scrollTop += top - this.#scroller.getBoundingClientRect().top - above;
    this.#stuck = this.atEnd;
  }

  #unlight() {
    this.#rows.get(this.#lit)?.classList.remove("lit");
    this.#lit = null;
  }

  /** Brings the marker into view, a little below the top. */
  toMarker() {
    const chunk = this.#chunks.find(({ items }) => items.some(({ id }) => id === this.#marked));
    if (!chunk) return;
    if (!chunk.built) this.#build(chunk);
    this.#stuck = false;
    const marker = document.getElementById("marker");
    const { top } = marker.getBoundingClientRect();
    this.#scroller.scrollTop += top - this.#scroller.getBoundingClientRect().top - 48;
    this.#stuck = this.atEnd;
  }

  #last() {
    return this.#chunks.at(-1)?.items.at(-1);
  }

  #chunk(items) {
    const box = document.createElement("ol");
    box.className = "messages";
    const rows = items.filter((item, at) => isRow(item, items[at - 1])).length;
    const chunk = { box, items, rows, built: false, near: true };
    for (const item of items) if (item.id) this.#ids.add(item.id);
    this.#near.observe(box);
    return chunk;
  }

  #guess(chunk) {
    chunk.box.style.height = `${chunk.rows * GUESS}px`;
  }

  #add(item, build) {
    let chunk = this.#chunks.at(-1);
    const before = this.#last();
    if (!chunk || (chunk.rows >= CHUNK && isRow(item, before))) {
      if (chunk?.built && !chunk.near) this.#empty(chunk);
      chunk = this.#chunk([]);
      chunk.built = build;
      this.#place.append(chunk.box);
      this.#chunks.push(chunk);
    }
    if (isRow(item, chunk.items.at(-1))) chunk.rows += 1;
    chunk.items.push(item);
    if (item.id) this.#ids.add(item.id);
    if (chunk.built) this.#addRow(chunk, item, before);
    else this.#guess(chunk);
  }

  #addBefore(chunk, item) {
    chunk.items.unshift(item);
    this.#ids.add(item.id);
  }

  #forget(chunk) {
    this.#near.unobserve(chunk.box);
    chunk.box.remove();
    this.#chunks.shift();
    for (const { id } of chunk.items) {
      this.#ids.delete(id);
      this.#rows.delete(id);
    }
  }

  /** Builds chunks that are near now, and empties those that are far. */
  #adapt(entries) {
    this.#keepPlace(() => {
      for (const { target, isIntersecting } of entries) {
        const chunk = this.#chunks.find(({ box }) => box === target);
        if (!chunk) continue;
        chunk.near = isIntersecting;
        if (chunk.near && !chunk.built) this.#build(chunk);
        // The last chunk stays, because it grows.
        if (!chunk.near && chunk.built && chunk !== this.#chunks.at(-1)) this.#empty(chunk);
      }
    });
  }

  #build(chunk) {
    chunk.built = true;
    chunk.box.replaceChildren();
    chunk.box.style.height = "";
    chunk.fold = null;
    const index = this.#chunks.indexOf(chunk);
    let before = this.#chunks[index - 1]?.items.at(-1);
    for (const item of chunk.items) {
      this.#addRow(chunk, item, before);
      before = item;
    }
    this.#showPresence();
    const next = this.#chunks[index + 1]?.items[0];
    if (next && this.#continues(before, next)) this.#rows.get(before.id)?.classList.remove("last");
  }

  #empty(chunk) {
    // A chunk with the selection or the focus must stay.
    if (chunk.box.contains(document.activeElement)) return;
    const selection = document.getSelection();
    if (!selection.isCollapsed && chunk.box.contains(selection.anchorNode)) return;
    chunk.built = false;
    chunk.box.style.height = `${chunk.box.offsetHeight}px`;
    chunk.box.replaceChildren();
    for (const { id } of chunk.items) this.#rows.delete(id);
  }

  #continues(before, item) {
    return continues(before, item) && item.id !== this.#marked;
  }

  /** If one row can't be built, the others are still shown. */
  #addRow(chunk, item, before) {
    try {
      this.#addGoodRow(chunk, item, before);
    } catch (error) {
      console.error(error);
      chunk.fold = null;
      const row = plainRow(item);
      if (item.id) this.#rows.set(item.id, row);
      chunk.box.append(row);
    }
  }

  #addGoodRow(chunk, item, before) {
    const { box } = chunk;
    if (item.at && (!before || dayOf(before.at) !== dayOf(item.at))) {
      box.append(dayRow(item.at));
      chunk.fold = null;
    }
    if (this.#marked !== null && item.id === this.#marked) {
      box.append(markerRow());
      chunk.fold = null;
    }
    if (item.kind === "message") {
      chunk.fold = null;
      const follows = this.#continues(before, item);
      if (follows) this.#rows.get(before.id)?.classList.remove("last");
      const row = messageRow(item, { first: !follows, last: true, context: this.#context });
      if (item.own && !this.#context.changing(item.id)) markSent(row);
      row.classList.toggle("lit", item.id === this.#lit);
      this.#rows.set(item.id, row);
      box.append(row);
    } else if (item.kind === "gap") {
      chunk.fold = null;
      box.append(gapRow());
    } else if (isRule(item)) {
      chunk.fold = null;
      const row = ruleRow(item);
      this.#rows.set(item.id, row);
      box.append(row);
    } else {
      if (!chunk.fold) {
        chunk.fold = new Presence();
        box.append(chunk.fold.row);
      }
      chunk.fold.add(item);
      this.#rows.set(item.id, chunk.fold.row);
      this.#grown.add(chunk.fold);
    }
  }

  /** Shows who came and went, once for all of them. */
  #showPresence() {
    for (const fold of this.#grown) fold.show();
    this.#grown.clear();
  }

  /** Changes parts above or below without moving what is in view, or the focus. */
  #keepPlace(change) {
    const heir = (lost) => {
      const row = lost.closest(".row");
      const built = this.#rows.get(row?.dataset.id);
      if (built && lost === row) built.tabIndex = -1;
      return (built && (lost === row ? built : twinOf(lost, row, built))) ?? this.#scroller;
    };
    const kept = () => keepFocus(change, heir);
    if (!this.#stuck) {
      keepPlace(kept, { scroller: this.#scroller, chunks: this.#chunks, rows: this.#rows });
      return;
    }
    kept();
    this.toEnd();
  }
}

/** Whether an item has a row of its own. People who come or go share one with those before them. */
function isRow(item, before) {
  return !(isPresence(item) && isPresence(before));
}

/** The beginning of the chunk that ends before this place. A chunk begins with a row. */
function startOf(items, end) {
  let start = end;
  for (let rows = 0; start > 0 && rows < CHUNK; ) {
    start -= 1;
    if (isRow(items[start], items[start - 1])) rows += 1;
  }
  return start;
}
