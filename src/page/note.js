// A note: a few words above the form that go by themselves.

import { tell } from "./announce.js";

/** How long it stays, in milliseconds. */
const STAYS = 6_000;

const box = document.getElementById("note");
let timer = null;

export function note(words) {
  box.textContent = words;
  box.hidden = false;
  tell(words);
  clearTimeout(timer);
  timer = setTimeout(() => (box.hidden = true), STAYS);
}
