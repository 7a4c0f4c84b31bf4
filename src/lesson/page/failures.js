// What can be broken: a switch each, what the reader may expect before, and what was seen after.

import { element } from "./element.js";
import { tell } from "./levers.js";
import { ENGINES, FAILURES } from "./texts.js";

export class Failures {
  #failures;

  constructor(servers) {
    this.#failures = FAILURES.map((failure) => new Failure(failure, servers));
    document.getElementById("failures").append(...this.#failures.map(({ node }) => node));
  }

  /** What a server's frame says. */
  take(server, { engine, failures, crowd }) {
    for (const failure of this.#failures) {
      failure.counts(server, crowd.did);
      failure.stands(server, engine, failures[failure.name]);
    }
  }
}

class Failure {
  #servers;
  #toggle;
  #note;
  #seen;
  #on = new Map();
  #asked = 0;
  /** What the crowd did of it, for each server. */
  #did = new Map();
  #deed;

  constructor({ name, title, expect, deed, saw }, servers) {
    this.name = name;
    this.#servers = servers;
    this.#deed = deed;
    const id = `failure-${name}`;
    const before = `${id}-before`;
    this.#toggle = element("button", { type: "button", role: "switch", "aria-checked": "false", "aria-labelledby": id, "aria-describedby": before });
    this.#note = element("p", { class: "note" });
    this.#seen = element("div", { class: "seen", hidden: true }, element("h4", {}, "What you saw, and why"), ...Object.entries(saw).map(([engine, { text, code }]) => side(engine, text, code)));
    this.node = element(
      "article",
      { class: "failure" },
      element("h3", { id }, title),
      this.#toggle,
      element("p", { id: before }, expect),
      this.#note,
      this.#seen,
    );
    this.#toggle.addEventListener("click", () => this.#flip());
  }

  stands(server, engine, isOn) {
    if (isOn === undefined) return;
    if (!this.#on.has(server)) for (const text of this.#seen.querySelectorAll(`[data-engine="${engine}"], [data-engine="both"]`)) text.hidden = false;
    this.#on.set(server, isOn);
    if (this.#asked === 0) this.#show();
    if (isOn) this.#seen.hidden = false;
  }

  /** The crowd did so much since the frame before. */
  counts(server, did) {
    const more = did[this.#deed?.name] ?? 0;
    if (more > 0) this.#did.set(server, (this.#did.get(server) ?? 0) + more);
  }

  #show() {
    const on = [...this.#on].filter(([, isOn]) => isOn);
    this.#check(on.length > 0);
    const notes = [];
    if (on.length > 0 && on.length < this.#on.size) notes.push(`On at ${on.map(([{ name }]) => name).join(", ")} only.`);
    if (this.#did.size > 0) {
      const each = [...this.#did].map(([{ name }, many]) => `${many.toLocaleString("en")} at ${name}`);
      notes.push(`So far ${this.#deed.says}: ${each.join(", ")}.`);
    }
    const note = notes.join(" ");
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }

  #check(isOn) {
    if (this.#toggle.getAttribute("aria-checked") !== `${isOn}`) this.#toggle.setAttribute("aria-checked", isOn);
  }

  async #flip() {
    const on = this.#toggle.getAttribute("aria-checked") !== "true";
    tell("");
    this.#check(on);
    this.#asked += 1;
    this.#toggle.setAttribute("aria-busy", "true");
    const ask = async (server) => {
      try {
        this.#on.set(server, (await server.tell(`failures/${this.name}`, { on })).on);
        if (on) this.#seen.hidden = false;
      } catch ({ message }) {
        tell(message);
      }
    };
    await Promise.all(this.#servers.map(ask));
    this.#asked -= 1;
    if (this.#asked > 0) return;
    this.#toggle.removeAttribute("aria-busy");
    this.#show();
  }
}

/** What is true of one engine, or of both, and where it is written. It is shown once that engine is. */
function side(engine, text, code) {
  const name = element("b", {}, `${ENGINES[engine]?.name ?? "Both"}: `);
  const places = code.flatMap((place) => [element("code", {}, place), " "]);
  return element("div", { "data-engine": engine, hidden: true }, element("p", {}, name, text), element("p", { class: "code" }, "See ", ...places));
}
