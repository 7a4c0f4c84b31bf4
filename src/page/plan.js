// Which polls there are: what each waits for.

/** With more rooms open than one poll may wait in, there are up to so many. */
const POLLS = 3;

/**
 * One poll waits in all rooms that tabs have open and, as far as there is place, in those that are followed. Each
 * waits for `rooms`; a person, `name`, is present in the rooms `present`. Tabs may be open under several names, for
 * example while a name changes: then a poll for each further name keeps that person present, and is silent: what it
 * hears, the first has heard as well.
 *
 * `wants` says what each tab shows: `room`, `name` or null, and whether it is `visible`. `most` is how many rooms one
 * poll may have.
 */
export function plan(wants, followed, most) {
  const seenFirst = [...wants].sort((a, b) => b.visible - a.visible);
  const open = [...new Set(seenFirst.map(({ room }) => room))];
  if (open.length === 0) return [];
  const openAs = (name) => new Set(wants.filter((want) => want.name === name).map(({ room }) => room));
  const [first = null, ...others] = new Set(wants.map(({ name }) => name).filter(Boolean));

  const rooms = open.length < most ? [...new Set([...open, ...followed])].slice(0, most) : open.slice(0, POLLS * most);
  const polls = parts(rooms, most).map((rooms) => {
    const here = openAs(first);
    const present = rooms.filter((room) => here.has(room));
    return { rooms, name: present.length > 0 ? first : null, present, silent: false };
  });
  for (const name of others) {
    const [rooms] = parts([...openAs(name)], most);
    polls.push({ rooms, name, present: rooms, silent: true });
  }
  return polls.slice(0, POLLS);
}

/** The rooms in parts of at most so many, in an order that does not depend on what is visible. */
function parts(rooms, most) {
  const sorted = [...rooms].sort();
  return Array.from({ length: Math.ceil(sorted.length / most) }, (_, n) => sorted.slice(n * most, (n + 1) * most));
}
