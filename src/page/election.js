// Which tab polls: one of all that are open in this browser.
//
// With Web Locks it is the tab that holds the lock; the browser passes the lock on when that tab
// is closed or crashes. Web Locks exist only on https and localhost, and a chat among phones is
// mostly on neither. So the tabs can also agree by the bus alone: a tab that asks and hears nobody
// claims the place, and of two such tabs the one with the lower id gets it.
//
// A tab that the browser has frozen may hold the lock without polling, and a killed tab can't say
// goodbye. A frozen tab steps down when it is told in time; if not, a tab that hears no answer takes its
// place, hidden or not. For a moment two tabs may poll: that costs one connection and nothing else, since
// every tab takes each message once.

import { OWN } from "./site.js";

const LOCK = `${OWN}-poller`;

/** How long to listen for a tab that polls before claiming its place, in milliseconds. */
const SILENCE = 400;

export class Election {
  #bus;
  #tab;
  #lead;
  #term = null;
  #away = false;
  #resign = () => {};
  #request = new AbortController();

  /** `lead(signal)` starts the polling, which ends when the signal aborts. */
  constructor(bus, tab, lead) {
    this.#bus = bus;
    this.#tab = tab;
    this.#lead = lead;
    this.#listen();
    addEventListener("pagehide", () => this.#leave());
    document.addEventListener("freeze", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && this.#return());
    document.addEventListener("resume", () => this.#return());
    this.#stand();
  }

  /** Whether this tab is elected. */
  get leads() {
    return this.#term !== null;
  }

  /** Takes the place of a tab that does not answer. */
  takeOver() {
    if (this.leads || this.#away) return;
    if (navigator.locks) this.#hold({ steal: true });
    else this.#claim();
  }

  #stand() {
    if (navigator.locks) this.#hold({});
    else if (this.#bus.alone) this.#begin();
    else this.#ask();
  }

  #leave() {
    this.#away = true;
    if (this.leads && !navigator.locks) this.#bus.post({ is: "vacant", tab: this.#tab });
    this.#end();
  }

  #return() {
    if (!this.#away) return;
    this.#away = false;
    this.#stand();
  }

  #begin() {
    if (this.leads) return;
    this.#term = new AbortController();
    this.#lead(this.#term.signal);
  }

  #end() {
    this.#term?.abort();
    this.#term = null;
    this.#resign();
    this.#request.abort();
  }

  // By Web Locks.

  async #hold({ steal }) {
    this.#request.abort();
    const request = new AbortController();
    this.#request = request;
    const options = steal ? { steal } : { signal: request.signal };
    const term = () =>
      new Promise((resign) => {
        this.#resign = resign;
        this.#begin();
      });
    try {
      await navigator.locks.request(LOCK, options, term);
    } catch {
      if (request.signal.aborted) return;
      // Another tab took the lock, because this one did not answer. This tab takes part again.
      this.#end();
      this.#hold({});
    }
  }

  // By the bus.

  #listen() {
    if (navigator.locks) return;
    this.#bus.on("vacant", ({ tab }) => {
      if (tab !== this.#tab && !this.#away) this.#ask();
    });
    this.#bus.on("claim", ({ tab }) => {
      this.#heard = true;
      if (!this.leads || tab === this.#tab) return;
      if (tab < this.#tab) this.#end();
      else this.#bus.post({ is: "claim", tab: this.#tab });
    });
    this.#bus.on("who", () => {
      if (this.leads) this.#bus.post({ is: "claim", tab: this.#tab });
    });
  }

  #heard = false;

  #ask() {
    this.#heard = false;
    this.#bus.post({ is: "who" });
    // A visible tab comes first, since its timers are not slowed down.
    const rank = document.hidden ? 1 : 0;
    const patience = SILENCE * (0.5 + rank + Math.random() / 2);
    setTimeout(() => {
      if (!this.#heard && !this.#away) this.#claim();
    }, patience);
  }

  #claim() {
    this.#bus.post({ is: "claim", tab: this.#tab });
    this.#begin();
  }
}
