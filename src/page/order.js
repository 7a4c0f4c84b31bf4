// Names in the order in which people look for them: 2 before 10, and é beside e.

import { LOCALE } from "./phrase.js";

export const byName = new Intl.Collator(LOCALE, { numeric: true }).compare;
