// A cell for each waiter. The cell drains as the wait runs out, and flashes when a message wakes the waiter.

import { Canvas } from "./canvas.js";
import { FULL, STREAM, decode, isWoken, left, words } from "./cells.js";
import { element } from "./element.js";
import { colours } from "./palette.js";

/** How long a flash lasts, in milliseconds. Three flashes a second are the most that are safe to look at. */
const FLASH = 350;

/** The same for who wants no motion: the mark of one message often stays until the next. */
const CALM = 1000;

/** How often the words are written anew, in milliseconds. */
const WORDS = 1000;

/** The grid has room for one of these numbers, so that it does not change with each waiter. */
const SIZES = [100, 250, 500, 1000, 2000, 3000, 4000, 5000, 7500, 10_000, 20_000];

/** What a flashing cell, and one of a stream, are drawn as; other numbers are the height of what is left. */
const LIT = -1;
const OPEN = -2;
const FREE = 0;
const NOTHING = -3;

const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

export class Grid {
  /** How many slots the last frame had. */
  slots = 0;
  #cells = new Uint8Array();
  #litUntil = new Float64Array();
  #drawn = new Int16Array();
  #size = SIZES[0];
  #woken = [];
  #worded = 0;
  #canvas;
  #words;
  #layout;
  #colours;
  #image;
  #pixels;

  constructor(id) {
    this.#canvas = new Canvas(`${id}-words`, (anew) => this.#draw(anew));
    this.#words = element("p", { id: `${id}-words` }, "Nobody waits.");
    this.node = element("div", { class: "grid" }, this.#canvas.node, this.#words);
    isCalm.addEventListener("change", () => this.#canvas.ask(true));
  }

  take(encoded, now) {
    const cells = decode(encoded);
    if (cells.length > this.#litUntil.length) {
      const grown = new Float64Array(Math.max(cells.length, 2 * this.#litUntil.length));
      grown.set(this.#litUntil);
      this.#litUntil = grown;
    }
    const lasts = isCalm.matches ? CALM : FLASH;
    let woken = 0;
    for (let n = 0; n < cells.length; n += 1) {
      if (!isWoken(cells[n])) continue;
      woken += 1;
      this.#litUntil[n] = now + lasts;
    }
    this.#cells = cells;
    this.slots = cells.length;
    this.#woken.push({ now, woken });
    while (this.#woken[0].now < now - 1000) this.#woken.shift();
    if (now - this.#worded >= WORDS) {
      this.#worded = now;
      this.#words.textContent = words(cells, this.#woken.reduce((sum, { woken }) => sum + woken, 0));
    }
    this.#canvas.ask();
    // The last flash must end even if no frame follows.
    if (woken > 0) setTimeout(() => this.#canvas.ask(), lasts);
  }

  /** Makes room for so many slots. */
  scale(slots) {
    const size = SIZES.find((size) => size >= slots) ?? slots;
    // It grows at once, and shrinks when it is far too large.
    if (size <= this.#size && slots > this.#size / 4) return;
    if (size === this.#size) return;
    this.#size = size;
    this.#canvas.ask(true);
  }

  #draw(anew) {
    if (anew) this.#lay();
    const now = performance.now();
    const { pitch, line, side, tall, columns } = this.#layout;
    const [ground, well, level, woken, stream] = this.#colours;
    let hasChanged = anew;
    for (let n = 0; n < this.#drawn.length; n += 1) {
      const look = this.#look(n, now, tall);
      if (this.#drawn[n] === look) continue;
      this.#drawn[n] = look;
      hasChanged = true;
      const x = (n % columns) * pitch;
      const y = Math.floor(n / columns) * line;
      this.#fill(ground, x, y, pitch, line);
      if (look === LIT) {
        // It fills its place to the edge: larger than any other, whatever the colours.
        if (isCalm.matches) this.#frame(woken, well, x, y, side, tall);
        else this.#fill(woken, x, y, pitch, line);
      } else if (look === OPEN) {
        this.#frame(stream, ground, x, y, side, tall);
      } else if (look === FREE) {
        const dot = Math.max(1, Math.round(side / 6));
        this.#fill(well, x + Math.floor((side - dot) / 2), y + Math.floor((tall - dot) / 2), dot, dot);
      } else {
        this.#fill(well, x, y, side, tall);
        this.#fill(level, x, y + tall - look, side, look);
      }
    }
    if (hasChanged) this.#canvas.pen.putImageData(this.#image, 0, 0);
  }

  #fill(colour, x, y, width, height) {
    const all = this.#canvas.width;
    for (let row = y * all + x; row < (y + height) * all; row += all) this.#pixels.fill(colour, row, row + width);
  }

  #frame(colour, inside, x, y, width, height) {
    const thick = Math.max(1, Math.round(width / 5));
    this.#fill(colour, x, y, width, height);
    if (width > 2 * thick) this.#fill(inside, x + thick, y + thick, width - 2 * thick, height - 2 * thick);
  }

  #look(n, now, tall) {
    const rest = n < this.#cells.length ? left(this.#cells[n]) : 0;
    // Also one who was woken and has not come back yet.
    if (this.#litUntil[n] > now) return LIT;
    if (rest === STREAM) return OPEN;
    return Math.ceil((tall * Math.min(rest, FULL)) / FULL);
  }

  /** The largest cells with which all have a place. */
  #lay() {
    const { width, height, ratio, pen } = this.#canvas;
    let pitch = Math.floor(26 * ratio);
    while (pitch > 2 && Math.floor(width / pitch) * Math.floor(height / pitch) < this.#size) pitch -= 1;
    const columns = Math.max(1, Math.floor(width / pitch));
    // Small cells are a little taller than wide, where there is room: one sees better what is left in them.
    const line = Math.max(pitch, Math.min(2 * pitch, Math.floor(height / Math.ceil(this.#size / columns))));
    const gap = Math.max(1, Math.round(pitch / 7));
    this.#layout = { pitch, line, side: pitch - gap, tall: line - gap, columns };
    this.#colours = colours("surface", "well", "level", "woken", "stream").map(pixel);
    // Thousands of cells change at once: a picture in memory takes a tenth of the time of a pen.
    this.#image = pen.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#image.data.buffer).fill(this.#colours[0]);
    // What does not fit is not drawn.
    this.#drawn = new Int16Array(Math.min(this.#size, columns * Math.floor(height / line))).fill(NOTHING);
  }
}

/** A colour as it lies in a picture's memory. */
function pixel(colour) {
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
