// What the process costs, as a table.

import { Rate } from "./rate.js";
import { Table } from "./table.js";
import { bytes, number } from "./units.js";

/** How often they are written anew, in milliseconds of the server's clock: as fast as one can read. */
const WRITTEN = 500;

const RATES = ["voluntary", "involuntary", "user", "system", "deliveries"];

export class Figures {
  #table;
  #rates = new Map();
  #written = -Infinity;

  constructor(id) {
    this.#table = new Table(`${id}-figures`, { row: "", columns: ["now"] });
    this.#table.caption.append("What it costs");
    this.node = this.#table.node;
    for (const name of RATES) this.#rates.set(name, new Rate());
  }

  take({ at, switches, cpu, deliveries, memory, files, cores, levers, crowd, restarts }, faults) {
    const totals = { ...switches, ...cpu, deliveries };
    for (const name of RATES) this.#rates.get(name).take(at, totals[name]);
    if (Math.abs(at - this.#written) < WRITTEN) return;
    this.#written = at;
    const rate = (name) => this.#rates.get(name).value;
    const aSecond = (name) => `${number(Math.round(rate(name)))}/s`;
    const ofACore = (seconds) => `${number(Math.round(seconds * 100))} %`;
    const rows = {
      deliveries: ["deliveries", aSecond("deliveries")],
      cpu: ["CPU, of one core", ofACore(rate("user") + rate("system"))],
      system: ["of that in the kernel", ofACore(rate("system"))],
      cores: ["cores that it may use", number(cores)],
      voluntary: ["context switches, voluntary", aSecond("voluntary")],
      involuntary: ["context switches, involuntary", aSecond("involuntary")],
      resident: ["resident memory", bytes(memory.resident)],
      stacks: ["kernel stacks", bytes(memory.kernel_stacks)],
      files: ["open files", number(files)],
      crowd: ["synthetic waiters", `${number(crowd.waiting)} of ${number(levers.waiters)}`],
      faults: ["messages lost, posts refused", `${number(faults.lost)}, ${number(faults.refused)}`],
      restarts: ["restarts of rooms, of the store", `${number(restarts.rooms)}, ${number(restarts.store)}`],
    };
    this.#table.show(Object.entries(rows).map(([name, [label, figure]]) => ({ name, label, figures: [figure] })));
  }
}
