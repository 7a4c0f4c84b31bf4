// How numbers and hours are written where the reader lives.
//
// The first format that a page makes takes a browser 25 ms, since it looks through all languages that it knows. So what
// the formats give is kept for the next visit, which shows its messages without any.

import { keep, recall } from "./kept.js";
import { later } from "./later.js";

/** For what is written by rules: days, times, numbers, the order of names. */
export const LOCALE = localeOf(document.documentElement.lang || "en", navigator.languages);

const numbers = later(() => new Intl.NumberFormat(LOCALE));
const clocks = later(() => new Intl.DateTimeFormat(LOCALE, { hour: "numeric", minute: "2-digit" }));

/** What an earlier visit has kept: `digits`, `minutes`, and `hours` with a place for the minutes. */
const kept = later(() => {
  const forms = recall("forms", {});
  return forms.locale === LOCALE ? forms : {};
});

/** The page's language as the reader has it. Who reads another than their own still has the hours of where they live. */
function localeOf(language, preferred) {
  try {
    const near = preferred.find((tag) => tag.split("-")[0] === language);
    if (near) return new Intl.Locale(near).toString();
    const { region } = new Intl.Locale(preferred[0]).maximize();
    return new Intl.Locale(language, { region }).toString();
  } catch {
    return language;
  }
}

/** A number as people write it. */
export function number(value) {
  const { digits } = kept();
  // A larger one has signs between its digits.
  if (!digits || !/^\d{1,3}$/.test(value)) return numbers().format(value);
  return String(value).replace(/\d/g, (digit) => digits[digit]);
}

/** "14:05" */
export function clock(at) {
  const { hours, minutes } = kept();
  const time = new Date(at);
  return hours ? hours[time.getHours()].replace("{m}", minutes[time.getMinutes()]) : clocks().format(time);
}

/** Whether there is something from an earlier visit. */
export function hasForms() {
  return kept().hours !== undefined;
}

/** Keeps the forms for the next visit. The browser may write them in another way than it did. */
export function keepForms() {
  const partsOf = (hour, minute) => clocks().formatToParts(new Date(2000, 0, 1, hour, minute));
  const isMinute = ({ type }) => type === "minute";
  const hourOf = (hour) => partsOf(hour, 30).map((part) => (isMinute(part) ? "{m}" : part.value)).join("");
  const all = (count, formOf) => Array.from({ length: count }, (_, n) => formOf(n));
  const forms = {
    locale: LOCALE,
    digits: all(10, (digit) => numbers().format(digit)),
    hours: all(24, hourOf),
    minutes: all(60, (minute) => partsOf(12, minute).find(isMinute).value),
  };
  if (JSON.stringify(forms) !== JSON.stringify(kept())) keep("forms", forms);
}
