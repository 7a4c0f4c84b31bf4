// How long a server has said nothing. Its frames come ten times a second, so one that is silent stalls, or is gone.

import { element } from "./element.js";

/** From here on it is told, in milliseconds. */
const SILENT = 1_500;

const LOOK = 250;

export class Silence {
  #server;
  #isSilent = false;

  constructor(server) {
    this.#server = server;
    // It counts each second, which nobody wants to hear: what is heard is told once.
    this.node = element("p", { class: "silence", hidden: true });
  }

  /** Marks `panel` as long as its server is silent. */
  watch(panel) {
    setInterval(() => {
      const { silence, name } = this.#server;
      const isSilent = silence > SILENT;
      if (isSilent) this.node.textContent = `no word for ${Math.floor(silence / 1000)} s`;
      if (isSilent === this.#isSilent) return;
      this.#isSilent = isSilent;
      this.node.hidden = !isSilent;
      panel.classList.toggle("silent", isSilent);
      document.getElementById("heard").textContent = isSilent ? `${name} is silent.` : `${name} speaks again.`;
    }, LOOK);
  }
}
