// Numbers as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** 12,345 or 2.57. */
export function number(value) {
  return value >= 100 || Number.isInteger(value) ? whole.format(value) : precise.format(value);
}

/** 31.2 MiB. */
export function bytes(value) {
  return `${number(value / 2 ** 20)} MiB`;
}

/** 310 µs, 21 ms, 2.5 s. */
export function time(micros) {
  if (micros < 1000) return `${number(micros)} µs`;
  if (micros < 1_000_000) return `${number(micros / 1000)} ms`;
  return `${number(micros / 1_000_000)} s`;
}
