// Chance that repeats itself: the same seed gives the same numbers, in Node.js and in a page.

/** A source of whole numbers from 0 to below what it is asked for. */
export function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}
