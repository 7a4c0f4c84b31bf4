// Threads by what they do, and tasks where there are any.

import { element } from "./element.js";
import { TASKS, THREADS } from "./texts.js";
import { Table } from "./table.js";
import { number } from "./units.js";

export class Things {
  /** The most of one kind, for the scale. */
  most = 1;
  #threads;
  #tasks;
  #scale = 1;

  constructor(id) {
    this.#threads = new Table(`${id}-threads`, { row: "threads", columns: ["how many"], bars: true });
    this.#tasks = new Table(`${id}-tasks`, { row: "tasks", columns: ["how many"], bars: true });
    this.#threads.caption.append("Threads");
    this.#tasks.node.hidden = true;
    this.node = element("div", { class: "things" }, this.#threads.node, this.#tasks.node);
  }

  take({ threads, tasks }) {
    const { all, ...kinds } = threads;
    this.most = Math.max(1, ...Object.values(kinds), ...Object.values(tasks ?? {}));
    this.#scale = Math.max(this.#scale, this.most);
    this.#show(this.#threads, kinds, THREADS);
    this.#threads.caption.textContent = `Threads: ${number(all)}`;
    this.#tasks.node.hidden = !tasks;
    if (!tasks) return;
    this.#show(this.#tasks, tasks, TASKS);
    this.#tasks.caption.textContent = `Tasks: ${number(Object.values(tasks).reduce((sum, many) => sum + many, 0))}`;
  }

  scale(most) {
    this.#scale = most;
  }

  #show(table, kinds, labels) {
    const names = Object.keys({ ...labels, ...kinds }).filter((kind) => kind in kinds);
    table.show(
      names.map((kind) => ({
        name: kind,
        label: labels[kind] ?? kind,
        figures: [number(kinds[kind])],
        share: kinds[kind] / this.#scale,
      })),
    );
  }
}
