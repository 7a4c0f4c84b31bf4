// The list of messages: as long as you like, with few nodes.
//
// Messages stand in chunks. Only the chunks near the visible part are built; the others are empty
// boxes of the height that they had, or are thought to have.

import { continues, dayRow, gapRow, markSent, markerRow, messageRow, plainRow, presenceRow } from "./rows.js";
import { dayOf } from "./time.js";

const CHUNK = 40;

/** The height of a message that was never built, in pixels. */
const GUESS = 52;

/** How near to the visible part a chunk is built, in pixels. */
const MARGIN = 1_000;

/** How far from the end still counts as the end, in pixels. */
const END = 60;

/** Beyond this the oldest messages are let go; history brings them back. */
const MOST = 10_000;

export class Log {
  #scroller;
  #place;
  #context;
  #chunks = [];
  #ids = new Set();
  #rows = new Map();
  #marked = null;
  #near;
  #stuck = true;

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
    scroller.addEventListener("scroll", () => (this.#stuck = this.atEnd), { passive: true });
    // A keyboard that opens, or a window that is made smaller, leaves the end in view.
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

  toEnd() {
    this.#stuck = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Adds newer messages, and a line before them if something between is lost. */
  append(messages, gap = false) {
    if (gap && this.#chunks.length > 0) this.#add({ kind: "gap", at: messages[0]?.at }, true);
    const fresh = messages.filter((message) => !this.has(message.id));
    // Of many at once only the last are built.
    fresh.forEach((message, index) => this.#add(message, fresh.length - index <= 2 * CHUNK));
    if (this.#stuck) {
      while (this.size > MOST) this.#forget(this.#chunks[0]);
      this.toEnd();
    }
  }

  /** Adds older messages; what is in view stays where it is. */
  prepend(messages) {
    const fresh = messages.filter((message) => !this.has(message.id));
    this.#keepPlace(() => {
      const following = this.#chunks[0];
      for (let end = fresh.length; end > 0; end -= CHUNK) {
        const chunk = this.#chunk(fresh.slice(Math.max(0, end - CHUNK), end));
        this.#place.prepend(chunk.box);
        this.#chunks.unshift(chunk);
        this.#guess(chunk);
      }
      // Its first row may no longer begin a day or a run.
      if (following?.built) this.#build(following);
    });
  }

  /** Shows where the reader left off: before the message with this id, or nowhere. */
  mark(id) {
    if (id === this.#marked) return;
    const changed = [this.#marked, id];
    this.#marked = id;
    this.refresh(...changed);
  }

  /** The first thing that somebody else said after the message with this id. */
  saidAfter(id) {
    const items = this.#chunks.flatMap((chunk) => chunk.items);
    const start = items.findIndex((item) => item.id === id);
    return items.slice(start + 1).find((item) => item.kind === "message" && !item.own) ?? null;
  }

  /** Learns whether a message is the reader's own. */
  setOwn(id, own) {
    for (const { items } of this.#chunks) {
      for (const item of items) if (item.id === id) item.own = own;
    }
    this.refresh(id);
  }

  /** Builds anew what stands around these messages. */
  refresh(...ids) {
    this.#keepPlace(() => {
      this.#chunks.forEach((chunk, index) => {
        const touched = [chunk, this.#chunks[index + 1]].some((near) =>
          near?.items.some((item) => item.id && ids.includes(item.id)),
        );
        if (touched && chunk.built) this.#build(chunk);
      });
    });
  }

  /** Builds anew all that is in view. */
  refreshAll() {
    this.#keepPlace(() => this.#chunks.filter((chunk) => chunk.built).forEach((chunk) => this.#build(chunk)));
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
    const chunk = { box, items, built: false, near: true };
    for (const item of items) if (item.id) this.#ids.add(item.id);
    this.#near.observe(box);
    return chunk;
  }

  #guess(chunk) {
    chunk.box.style.height = `${chunk.items.length * GUESS}px`;
  }

  #add(item, build) {
    let chunk = this.#chunks.at(-1);
    const before = this.#last();
    if (!chunk || chunk.items.length >= CHUNK) {
      if (chunk?.built && !chunk.near) this.#empty(chunk);
      chunk = this.#chunk([]);
      chunk.built = build;
      this.#place.append(chunk.box);
      this.#chunks.push(chunk);
    }
    chunk.items.push(item);
    if (item.id) this.#ids.add(item.id);
    if (chunk.built) this.#addRow(chunk, item, before);
    else this.#guess(chunk);
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

  /** Builds what has come near, and empties what has gone far. */
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
    const next = this.#chunks[index + 1]?.items[0];
    if (next && this.#continues(before, next)) this.#rows.get(before.id)?.classList.remove("last");
  }

  #empty(chunk) {
    // What is selected must not lose its ground.
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

  /** One row that can't be built leaves the others standing. */
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
      if (item.own) markSent(row);
      this.#rows.set(item.id, row);
      box.append(row);
    } else if (item.kind === "gap") {
      chunk.fold = null;
      box.append(gapRow());
    } else {
      const messages = [...(chunk.fold?.messages ?? []), item];
      const row = presenceRow(messages);
      if (chunk.fold) chunk.fold.row.replaceWith(row);
      else box.append(row);
      chunk.fold = { row, messages };
    }
  }

  /** Changes what is above or below without moving what is in view. */
  #keepPlace(change) {
    if (this.#stuck) {
      change();
      this.toEnd();
      return;
    }
    const anchor = this.#anchor();
    const before = anchor?.node.getBoundingClientRect().top;
    change();
    if (!anchor) return;
    // A row that was built anew is found again by its message.
    const node = anchor.node.isConnected ? anchor.node : this.#rows.get(anchor.id);
    if (node) this.#scroller.scrollTop += node.getBoundingClientRect().top - before;
  }

  /** The first message in view. */
  #anchor() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const { built, box } of this.#chunks) {
      if (!built || box.getBoundingClientRect().bottom <= top) continue;
      for (const node of box.children) {
        if (node.dataset.id && node.getBoundingClientRect().bottom > top)
          return { node, id: node.dataset.id };
      }
    }
    return null;
  }
}
