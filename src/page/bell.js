// This tab's bell: its sound, its notifications, and the two switches in the list of rooms.

import { tell } from "./announce.js";
import { Errands } from "./errands.js";
import { keep, recall, watch } from "./kept.js";
import { Notifications } from "./notification.js";
import { phrase } from "./phrase.js";
import { Sound } from "./sound.js";

/** Why nothing sounds. */
const SILENT = { missing: "sound.missing", refused: "sound.refused", waiting: "sound.waiting" };

/** Why nothing is shown. */
const UNSHOWN = {
  insecure: "notify.insecure",
  missing: "notify.missing",
  denied: "notify.denied",
  default: "notify.default",
};

export class Bell {
  /** What this tab does for the tab that polls. */
  errands;
  #sound;

  /** `changed()` is called when the senses are others. */
  constructor({ bus, tab, room, changed }) {
    const sound = new Sound(() => {
      soundSwitch.show();
      changed();
    });
    const notifications = new Notifications(bus, room);
    this.#sound = sound;
    this.errands = new Errands(bus, tab, {
      play: () => sound.play(),
      show: (notice) => notifications.show(notice),
    });
    const soundSwitch = new Switch("sound", {
      begin: () => sound.begin(),
      works: () => sound.exists,
      why: (tried) => (!sound.exists ? SILENT.missing : sound.ready ? null : tried ? SILENT.refused : SILENT.waiting),
      goOn: () => sound.wake(),
    });
    const notifySwitch = new Switch("notify", {
      begin: () => notifications.begin(),
      works: () => notifications.state === "granted",
      why: () => UNSHOWN[notifications.state] ?? null,
    });
    // The reader may change their mind in the browser's own settings.
    const follow = (status) => status.addEventListener("change", () => notifySwitch.show());
    navigator.permissions?.query({ name: "notifications" }).then(follow, () => {});
  }

  /** Whether the reader looks at this tab, and whether it may sound. */
  get senses() {
    return { looking: !document.hidden && document.hasFocus(), sounds: this.#sound.ready };
  }
}

/** A switch of the page, the same in all tabs, with the words why it does not work. */
class Switch {
  #key;
  #does;
  #box;
  #note;
  #tried = false;
  #turns = 0;
  #turning = false;

  /**
   * `begin()` is called by the click that turns it on, and gives whether it works; `goOn()` when it is on already.
   * `works()` says whether it can be on at all, and `why(tried)` why it does nothing, by the key of a phrase, or null.
   */
  constructor(key, { begin, works, why, goOn = () => {} }) {
    this.#key = key;
    this.#does = { begin, works, why, goOn };
    this.#box = document.getElementById(key);
    this.#note = document.getElementById(`${key}-note`);
    this.#box.addEventListener("change", () => this.#turn(this.#box.checked));
    watch(key, () => this.show());
    this.show();
  }

  show() {
    const on = recall(this.#key) === true;
    if (on) this.#does.goOn();
    if (!this.#turning) this.#box.checked = on && this.#does.works();
    const why = on || this.#tried ? this.#does.why(this.#tried) : null;
    this.#note.textContent = why === null ? "" : phrase(why);
  }

  async #turn(on) {
    this.#turns += 1;
    const turn = this.#turns;
    this.#turning = true;
    const works = on && (await this.#does.begin());
    // The reader may have turned it again meanwhile.
    if (turn !== this.#turns) return;
    this.#turning = false;
    this.#tried = on && !works;
    keep(this.#key, works || null);
    this.show();
    if (this.#tried) tell(this.#note.textContent);
  }
}
