// The line: whether the server is reached, and when to try again if not.

/** The pauses between attempts grow from the first to the last, in milliseconds. */
const PAUSE = { first: 500, last: 15_000, hidden: 60_000 };

export class Line {
  /** Whether no tab is visible: then there is no hurry. */
  hidden = false;

  #changed;
  #failures = 0;
  #timer = null;
  #waiting = [];
  #state = { state: "up" };

  constructor(changed) {
    this.#changed = changed;
    addEventListener("offline", () => this.#pause("offline", PAUSE.last));
  }

  /** What the tabs show: `up`, or `down`, `between`, `out` or `offline` with the time of the next attempt. */
  get state() {
    return this.#state;
  }

  get failing() {
    return this.#failures > 0;
  }

  /** Forgets what an earlier election has seen. */
  open() {
    this.#failures = 0;
    this.#show({ state: "up" });
    this.#release();
  }

  /** Resolves when it is time for an attempt. */
  up() {
    if (this.#timer === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  answered() {
    this.#failures = 0;
    if (this.#state.state !== "up") this.open();
  }

  failed(error) {
    // One fault may end several polls: it counts once.
    if (this.#timer !== null) return;
    this.#failures += 1;
    const last = this.hidden ? PAUSE.hidden : PAUSE.last;
    const grown = Math.min(last, PAUSE.first * 2 ** (this.#failures - 1));
    // Half of it is random, so that not all clients come at once when the server is back.
    const pause = (error.retryAfter ?? 0) + grown * (0.5 + Math.random() / 2);
    const reached = error.out ? "out" : error.foreign ? "between" : "down";
    this.#pause(navigator.onLine ? reached : "offline", pause);
  }

  /** Tries now. */
  retry() {
    this.#release();
  }

  #pause(state, pause) {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#failures = Math.max(1, this.#failures);
    this.#timer = setTimeout(() => this.#release(), pause);
    this.#show({ state, until: Date.now() + pause });
  }

  #release() {
    clearTimeout(this.#timer);
    this.#timer = null;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #show(state) {
    this.#state = state;
    this.#changed(state);
  }
}
