// What the crowd measured: from each POST to the first and to the last waiter who has it.

/** How long a post is shown, in milliseconds. */
export const SHOWN = 60_000;

export class Posts {
  lost = 0;
  refused = 0;
  /** The posts that somebody has had: when they were told of, and the two times in microseconds. Oldest first. */
  heard = [];

  take({ lost = 0, posts = [] }, now) {
    this.lost += lost;
    for (const { first_us: first, last_us: last, refused = 0 } of posts) {
      this.refused += refused;
      if (first > 0) this.heard.push({ now, first, last });
    }
    let old = 0;
    while (old < this.heard.length && this.heard[old].now < now - SHOWN) old += 1;
    if (old > 0) this.heard.splice(0, old);
  }

  /** The newest, the median and the worst of one of the two times. */
  figures(which) {
    const times = this.heard.map((post) => post[which]);
    const newest = times.at(-1);
    times.sort((a, b) => a - b);
    return [newest, times[Math.floor(times.length / 2)], times.at(-1)];
  }
}
