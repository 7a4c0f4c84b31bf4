// One tab after the other.

import { OWN } from "./site.js";

const LOCK = `${OWN}-post`;

/** How long to wait for another tab that sends, in milliseconds. */
const PATIENCE = 3_000;

/**
 * One tab sends at a time, so that messages take one connection and keep their order. A tab that
 * hangs delays the others only for a while: the ids keep a message from being published twice.
 */
export async function inTurn(send) {
  if (!navigator.locks) return send();
  let begun = false;
  const take = () => {
    begun = true;
    return send();
  };
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), PATIENCE);
  try {
    return await navigator.locks.request(LOCK, { signal: giveUp.signal }, take);
  } catch (error) {
    if (begun) throw error;
    return send();
  } finally {
    clearTimeout(timer);
  }
}
