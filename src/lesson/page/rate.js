// What grows, as so much a second.

/** Over how long a rate is taken, in milliseconds of the server's clock. */
const WINDOW = 3_000;

/** How long a figure that does not change is the same figure. Some are looked at only twice a second. */
const FRESH = 1_000;

export class Rate {
  #seen = [];

  /** `total` so far, at the server's time `at`. */
  take(at, total) {
    const last = this.#seen.at(-1);
    // The server was started again.
    if (last && (at < last.at || total < last.total)) this.#seen = [];
    else if (last && total === last.total && at < last.at + FRESH) return;
    this.#seen.push({ at, total });
    while (this.#seen.length > 2 && this.#seen[0].at < at - WINDOW) this.#seen.shift();
  }

  /** So much a second. */
  get value() {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    return this.#seen.length < 2 ? 0 : ((last.total - first.total) / (last.at - first.at)) * 1000;
  }
}
