// The levers. One moves both servers, and each server's frames say where its own stands.

import { element } from "./element.js";
import { LEVERS } from "./texts.js";

/** Where the sliders stop. A number between two stops may be written. */
const STOPS = {
  waiters: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 2000, 2500, 3000, 4000, 5000],
  rate: [0, 1, 2, 5, 10, 20, 50, 100],
  size: [16, 64, 256, 1024, 4096, 16_384],
};

export class Levers {
  #servers;
  #levers = new Map();
  #wanted = new Map();

  constructor(servers) {
    this.#servers = servers;
    for (const [name, stops] of Object.entries(STOPS)) {
      const lever = new Lever(name, stops, (value) => this.#move(name, value));
      this.#levers.set(name, lever);
      document.getElementById("levers").append(lever.node);
    }
  }

  /** What a server's frame says. */
  take(server, { levers }) {
    for (const [name, lever] of this.#levers) lever.stands(server, levers[name]);
  }

  #move(name, value) {
    tell("");
    for (const server of this.#servers) {
      const wanted = this.#wanted.get(server);
      if (wanted) wanted[name] = value;
      else this.#send(server, { [name]: value });
    }
  }

  /** One request at a time to each server: what a slider passes on its way is not sent. */
  async #send(server, values) {
    const next = {};
    this.#wanted.set(server, next);
    try {
      await server.tell("levers", values);
    } catch ({ message }) {
      tell(message);
      for (const name of Object.keys(values)) this.#levers.get(name).fallBack();
    }
    this.#wanted.delete(server);
    if (Object.keys(next).length > 0) this.#send(server, next);
  }
}

/** Says what a server refused. */
export function tell(message) {
  const place = document.getElementById("told");
  if (place.textContent !== message) place.textContent = message;
}

class Lever {
  #stops;
  #range;
  #number;
  #note;
  #unit;
  /** Where the reader has moved it, until the servers stand there too. */
  #wanted;
  #stands = new Map();

  constructor(name, stops, moved) {
    const { label, unit } = LEVERS[name];
    this.#stops = stops;
    this.#unit = unit;
    const id = `lever-${name}`;
    this.#range = element("input", { type: "range", id, min: 0, max: stops.length - 1, step: 1, value: 0 });
    this.#number = element("input", { type: "number", id: `${id}-number`, min: stops[0], max: stops.at(-1), value: 0, "aria-label": `${label}, as a number` });
    this.#note = element("p", { class: "note" });
    this.node = element("div", { class: "lever" }, element("label", { for: id }, label), this.#number, this.#range, this.#note);
    this.#range.addEventListener("input", () => this.#want(this.#stops[this.#range.value], moved));
    this.#number.addEventListener("change", () => {
      if (this.#number.value !== "" && this.#number.validity.valid) this.#want(this.#number.valueAsNumber, moved);
      else this.#number.reportValidity();
    });
  }

  stands(server, value) {
    this.#stands.set(server, value);
    const all = [...this.#stands.values()];
    const same = all.every((one) => one === all[0]);
    if (this.#wanted === undefined || (same && all[0] === this.#wanted)) {
      this.#wanted = undefined;
      if (document.activeElement !== this.#number) this.#show(all[0]);
    }
    const each = [...this.#stands].map(([server, value]) => `${server.name} ${value.toLocaleString("en")}`);
    const note = same ? "" : `Now: ${each.join(", ")}`;
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }

  /** Shows again where the servers stand. */
  fallBack() {
    this.#wanted = undefined;
    for (const value of this.#stands.values()) this.#show(value);
  }

  #want(value, moved) {
    this.#wanted = value;
    this.#show(value);
    moved(value);
  }

  #show(value) {
    const stop = this.#stops.findLastIndex((stop) => stop <= value);
    this.#range.value = Math.max(stop, 0);
    this.#range.setAttribute("aria-valuetext", `${value.toLocaleString("en")} ${this.#unit}`);
    this.#number.value = value;
  }
}
