// What went wrong with the crowd: why one of it was refused, or that it has ended.

import { element } from "./element.js";

/** How long the last refusal stays, in milliseconds. */
const STAYS = 5_000;

export class Crowd {
  node = element("p", { class: "note" });
  #said = "";
  #until = 0;

  take({ trouble, ended }, now) {
    if (trouble) {
      this.#said = `The crowd says: ${trouble}.`;
      this.#until = now + STAYS;
    }
    const said = ended ? `The crowd has ended: ${ended}. The next lever starts another.` : now < this.#until ? this.#said : "";
    if (this.node.textContent !== said) this.node.textContent = said;
  }
}
