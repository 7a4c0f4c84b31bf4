// What takes the browser long to make, and is seldom needed at the start.

/** Makes something when it is asked for first, and gives the same from then on. */
export function later(make) {
  let made;
  return () => (made ??= make());
}
