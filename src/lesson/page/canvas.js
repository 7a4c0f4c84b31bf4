// A canvas as large as its place, in the screen's own pixels.

import { element } from "./element.js";
import { onNewColours } from "./palette.js";

export class Canvas {
  width = 0;
  height = 0;
  #draw;
  #due = false;

  /** `draw(anew)` draws it: all of it, or only what has changed. */
  constructor(label, draw) {
    this.#draw = draw;
    this.node = element("canvas", { role: "img", "aria-labelledby": label });
    // Nobody looks through it, so the browser need not mix it with what lies behind.
    this.pen = this.node.getContext("2d", { alpha: false });
    new ResizeObserver(() => this.#fit()).observe(this.node);
    onNewColours(() => this.ask(true));
  }

  /** Has it drawn with the next picture of the screen. */
  ask(anew = false) {
    this.anew ||= anew;
    if (this.#due || this.width === 0) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw(this.anew);
      this.anew = false;
    });
  }

  #fit() {
    const { clientWidth, clientHeight } = this.node;
    this.ratio = devicePixelRatio;
    this.width = Math.round(clientWidth * this.ratio);
    this.height = Math.round(clientHeight * this.ratio);
    if (this.width === 0) return;
    // This empties it.
    this.node.width = this.width;
    this.node.height = this.height;
    this.ask(true);
  }
}
