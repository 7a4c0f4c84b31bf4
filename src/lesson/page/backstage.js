// The backstage: one engine, or two side by side, their levers, and what can be broken.

import { element } from "./element.js";
import { Engine } from "./engine.js";
import { Failures } from "./failures.js";
import { Levers } from "./levers.js";
import { projector } from "./projector.js";
import { servers } from "./server.js";

const place = document.getElementById("engines");
const { shown, problem } = servers();
const engines = shown.map((server) => new Engine(server));
const levers = new Levers(shown);
const failures = new Failures(shown);

projector();
if (problem) place.append(element("p", { class: "problem" }, problem));
for (const engine of engines) place.append(engine.node);
place.classList.toggle("two", engines.length > 1);

for (const [n, server] of shown.entries()) {
  server.follow((frame) => {
    engines[n].take(frame);
    // Both are drawn to the same scale, so that one can be compared with the other.
    const most = (figure) => Math.max(...engines.map((engine) => engine[figure]));
    for (const engine of engines) engine.scale({ slots: most("slots"), things: most("things") });
    levers.take(server, frame);
    failures.take(server, frame);
  });
}
