// The cells of a frame: a byte for each seat of the door. What a byte means stands in src/lesson/.

/** A wait of ten seconds, in the half seconds that a cell counts: it fills a cell. */
export const FULL = 20;

/** A stream: it has no countdown. */
export const STREAM = 127;

const WOKEN = 128;

/** What waits, as bytes. */
export function decode(cells) {
  return Uint8Array.from(atob(cells), (letter) => letter.charCodeAt(0));
}

/** What is left of the wait in half seconds, 0 for a free seat, or STREAM. */
export function left(cell) {
  return cell & ~WOKEN;
}

/** Whether a message woke this one since the last frame. */
export function isWoken(cell) {
  return cell >= WOKEN;
}

/** What the grid shows, in words: how many wait, how many were woken, and how long the rest waits. */
export function words(cells, woken) {
  const bands = [0, 0, 0, 0, 0];
  let waiting = 0;
  let streams = 0;
  for (const cell of cells) {
    const rest = left(cell);
    if (rest === 0) continue;
    waiting += 1;
    if (rest === STREAM) streams += 1;
    else bands[Math.min(Math.ceil(rest / (FULL / 4)), 5) - 1] += 1;
  }
  const said = [`${count(waiting)} ${waiting === 1 ? "waits" : "wait"}`, `${count(woken)} woken in the last second`];
  const polls = waiting - streams;
  if (polls > 0) {
    const names = ["under 2.5 s", "2.5 to 5 s", "5 to 7.5 s", "7.5 to 10 s", "over 10 s"];
    const filled = bands.map((many, n) => many > 0 && `${names[n]}: ${count(many)}`).filter(Boolean);
    said.push(`left to wait ${filled.join(", ")}`);
  }
  if (streams > 0) said.push(`${count(streams)} ${streams === 1 ? "stream" : "streams"}`);
  return `${said.join(" · ")}.`;
}

function count(many) {
  return many.toLocaleString("en");
}
