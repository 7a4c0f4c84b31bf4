// Times as people say them, in the reader's own language and zone.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "long" });
const YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

const DAY_MS = 24 * 60 * 60 * 1000;

/** Midnight before this time, as a number of days that sets two days apart. */
export function dayOf(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** "14:05" */
export function clock(at) {
  return CLOCK.format(new Date(at));
}

/** All of it, for who asks. */
export function full(at) {
  return FULL.format(new Date(at));
}

/** "Today", "Yesterday", "Monday", "Mon, 3 June", "3 June 2008" */
export function dayName(at, now = Date.now()) {
  const day = dayOf(at);
  const days = Math.round((dayOf(now) - day) / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return WEEKDAY.format(day);
  const sameYear = new Date(day).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? DAY : YEAR).format(day);
}

/** "14:05" today, the day before that. */
export function lately(at) {
  return dayName(at) === "Today" ? clock(at) : dayName(at);
}
