// One engine: what waits in it, what it is made of now, and what it costs.

import { Crowd } from "./crowd.js";
import { element } from "./element.js";
import { Figures } from "./figures.js";
import { Grid } from "./grid.js";
import { Mailbox } from "./mailbox.js";
import { Plot } from "./plot.js";
import { Silence } from "./silence.js";
import { ENGINES } from "./texts.js";
import { Things } from "./things.js";

let made = 0;

export class Engine {
  #title;
  #about;
  #grid;
  #crowd = new Crowd();
  #mailbox;
  #things;
  #figures;
  #plot;
  #silence;

  constructor(server) {
    made += 1;
    const id = `engine-${made}`;
    this.#title = element("h2", { id }, server.host);
    this.#about = element("p", { class: "about" });
    this.#silence = new Silence(server);
    this.#grid = new Grid(id);
    this.#mailbox = new Mailbox(id);
    this.#things = new Things(id);
    this.#figures = new Figures(id);
    this.#plot = new Plot(id);
    this.#grid.node.append(this.#crowd.node);
    const parts = [this.#grid, this.#plot, this.#things, this.#figures, this.#mailbox];
    this.node = element(
      "section",
      { class: "engine", "aria-labelledby": id },
      element("div", { class: "name" }, this.#title, this.#silence.node, this.#about),
      ...parts.map(({ node }) => node),
    );
    this.#silence.watch(this.node);
  }

  take(frame) {
    const now = performance.now();
    const { name, about } = ENGINES[frame.engine] ?? { name: frame.engine, about: "" };
    this.#title.textContent = name;
    this.#about.textContent = about;
    this.node.dataset.engine = frame.engine;
    this.#grid.take(frame.cells, now);
    this.#crowd.take(frame.crowd, now);
    this.#plot.take(frame.crowd, now);
    this.#mailbox.take(frame, now);
    this.#things.take(frame);
    this.#figures.take(frame, this.#plot.faults);
  }

  /** How many slots it has for waiters. */
  get slots() {
    return this.#grid.slots;
  }

  /** The most threads or tasks of one kind. */
  get things() {
    return this.#things.most;
  }

  /** Draws to the scale of the larger of both engines. */
  scale({ slots, things }) {
    this.#grid.scale(slots);
    this.#things.scale(things);
  }
}
