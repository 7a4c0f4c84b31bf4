// The times from a POST to its first and its last waiter, as they move by. The scale is logarithmic and always
// the same, so that the two engines can be compared.

import { Canvas } from "./canvas.js";
import { element } from "./element.js";
import { colours } from "./palette.js";
import { Posts, SHOWN } from "./posts.js";
import { Table } from "./table.js";
import { time } from "./units.js";

/** The ends of the scale, in microseconds. */
const [LEAST, MOST] = [100, 10_000_000];
const LINES = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/** Posts that came so close to each other are one line, in milliseconds: there may be hundreds a second. */
const CLOSE = 200;

export class Plot {
  #posts = new Posts();
  #canvas;
  #table;
  #colours;
  #worded = 0;

  constructor(id) {
    this.#table = new Table(`${id}-posts`, { columns: ["newest", "median", "worst"] });
    this.#canvas = new Canvas(`${id}-plot ${id}-posts`, (anew) => this.#draw(anew));
    this.#table.caption.append("The same in figures");
    const title = element("p", { class: "title", id: `${id}-plot` }, "From a POST to a waiter, the last 60 s");
    const key = element("p", { class: "key", "aria-hidden": "true" }, element("i", { class: "first" }), "first waiter ", element("i", { class: "last" }), "last waiter");
    this.node = element("div", { class: "plot" }, title, key, this.#canvas.node, this.#table.node);
  }

  take(crowd, now) {
    this.#posts.take(crowd, now);
    this.#canvas.ask();
    if (now - this.#worded < 500) return;
    this.#worded = now;
    const row = (name, which) => ({ name, figures: this.#posts.figures(which).map((t) => (t === undefined ? "–" : time(t))) });
    this.#table.show([row("first waiter", "first"), row("last waiter", "last")]);
  }

  /** What went wrong, for the figures. */
  get faults() {
    return this.#posts;
  }

  #draw(anew) {
    if (anew) this.#colours = colours("surface", "edge", "muted", "first", "last");
    const [ground, edge, muted, firstColour, lastColour] = this.#colours;
    const { pen, width, height, ratio } = this.#canvas;
    const now = performance.now();
    const letters = Math.round(parseFloat(getComputedStyle(this.#canvas.node).fontSize) * ratio * 0.8);
    const margin = 4.2 * letters;
    const y = (micros) => {
      const at = Math.log(Math.min(Math.max(micros, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST);
      return Math.round((height - letters - 2) * (1 - at) + letters / 2 + 1);
    };
    const x = (at) => Math.round(width - 6 * ratio - ((now - at) / SHOWN) * (width - margin - 6 * ratio));
    pen.fillStyle = ground;
    pen.fillRect(0, 0, width, height);
    pen.font = `${letters}px system-ui, sans-serif`;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const micros of LINES) {
      pen.fillStyle = edge;
      pen.fillRect(margin, y(micros), width - margin, Math.max(1, Math.round(ratio)));
      pen.fillStyle = muted;
      pen.fillText(time(micros), margin - 6 * ratio, y(micros));
    }
    const size = Math.max(2, Math.round(3 * ratio));
    for (const { at, first, last } of this.#lines()) {
      const left = x(at);
      if (left < margin) continue;
      pen.fillStyle = edge;
      pen.fillRect(left, y(last), Math.max(1, Math.round(ratio)), y(first) - y(last));
      // The last waiter is a full square, the first one a ring.
      pen.fillStyle = lastColour;
      pen.fillRect(left - size, y(last) - size, 2 * size, 2 * size);
      pen.strokeStyle = firstColour;
      pen.lineWidth = Math.max(1, 1.5 * ratio);
      pen.beginPath();
      pen.arc(left, y(first), size, 0, 7);
      pen.stroke();
    }
  }

  /** The posts, those close together as one: its best first and its worst last time. */
  #lines() {
    const lines = [];
    for (const { now, first, last } of this.#posts.heard) {
      const line = lines.at(-1);
      const at = Math.floor(now / CLOSE) * CLOSE;
      if (line?.at !== at) lines.push({ at, first, last });
      else {
        line.first = Math.min(line.first, first);
        line.last = Math.max(line.last, last);
      }
    }
    return lines;
  }
}
