// Times as people say them, in the reader's own language and zone.

import { later } from "./later.js";
import { LOCALE, clock } from "./locale.js";
import { phrase } from "./phrase.js";

const formatOf = (parts) => later(() => new Intl.DateTimeFormat(LOCALE, parts));

const fullOf = formatOf({ dateStyle: "full", timeStyle: "medium" });
const soonOf = formatOf({ weekday: "long", hour: "numeric", minute: "2-digit" });
const weekdayOf = formatOf({ weekday: "long" });
const dayInYear = formatOf({ weekday: "short", day: "numeric", month: "long" });
const dayAndYear = formatOf({ dateStyle: "long" });

const DAY_MS = 24 * 60 * 60 * 1000;

/** How often the day is checked, in milliseconds. */
const LOOK = 60 * 60 * 1000;

/** Midnight before this time, as a number of days that sets two days apart. */
export function dayOf(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** The whole date and time, for a tooltip. */
export function full(at) {
  return fullOf().format(new Date(at));
}

/** "Friday, 14:05", for a time within a week. */
export function soon(at) {
  return soonOf().format(new Date(at));
}

/** "Today", "Yesterday", "Monday", "Mon, 3 June", "3 June 2008" */
export function dayName(at, now = Date.now()) {
  const day = dayOf(at);
  const days = Math.round((dayOf(now) - day) / DAY_MS);
  if (days === 0 || days === 1) return phrase(days === 0 ? "day.today" : "day.yesterday");
  if (days > 1 && days < 7) return weekdayOf().format(day);
  const sameYear = new Date(day).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? dayInYear : dayAndYear)().format(day);
}

/** "14:05" today, the day before that. */
export function lately(at) {
  return dayOf(at) === dayOf(Date.now()) ? clock(at) : dayName(at);
}

/** Calls back when another day has begun here. */
export function onNewDay(changed) {
  let today = dayOf(Date.now());
  let timer = null;
  const look = () => {
    const now = Date.now();
    if (dayOf(now) !== today) {
      today = dayOf(now);
      changed();
    }
    clearTimeout(timer);
    // The reader may set the clock, or travel.
    timer = setTimeout(look, Math.min(LOOK, new Date(now).setHours(24, 0, 0, 0) - now));
  };
  // After a night's sleep of the machine the day is checked again.
  document.addEventListener("visibilitychange", look);
  look();
}
