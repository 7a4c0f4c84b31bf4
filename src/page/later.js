// What takes the browser long, and is not needed at the start.

/** Makes something when it is asked for first, and gives the same from then on. */
export function later(make) {
  let made;
  return () => (made ??= make());
}

/** Does something once the reader sees the page: what nobody looks at yet, and what is of use only later. */
export function afterPaint(run) {
  requestAnimationFrame(() => setTimeout(run));
}
