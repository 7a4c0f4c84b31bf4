// Errands between the tabs of one browser: a tab has another one do what it can't do itself.

/** How long a tab may take to answer, in milliseconds. It may be frozen. */
const PATIENCE = 1_000;

export class Errands {
  #bus;
  #tab;
  #timers = new Map();
  #given = 0;

  /** `does` holds, by its name, what this tab can do; each gives whether it was done. */
  constructor(bus, tab, does) {
    this.#bus = bus;
    this.#tab = tab;
    bus.on("errand", async ({ id, to, until, what, details }) => {
      // A tab that was frozen hears of it too late: another one has done it.
      if (to !== tab || Date.now() >= until) return;
      if (await does[what](details)) bus.post({ is: "done", id });
    });
    bus.on("done", ({ id }) => {
      clearTimeout(this.#timers.get(id));
      this.#timers.delete(id);
    });
  }

  /** Has the first of these tabs do it. If that one can't, or does not answer, the next has to. */
  give(what, details, [to, ...others]) {
    if (to === undefined) return;
    this.#given += 1;
    const id = `${this.#tab} ${this.#given}`;
    const next = () => {
      this.#timers.delete(id);
      this.give(what, details, others);
    };
    this.#timers.set(id, setTimeout(next, PATIENCE));
    this.#bus.post({ is: "errand", id, to, until: Date.now() + PATIENCE, what, details });
  }
}
