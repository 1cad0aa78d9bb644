import type { Spread } from '../statistics.ts';

/** Numbers as the reports write them: three significant digits, and thousands apart. */

const DIGITS = 3;

export function number(value: number): string {
  const rounded = Number(value.toPrecision(DIGITS));
  return Math.abs(value) >= 1_000 ? Math.round(rounded).toLocaleString('en') : String(rounded);
}

/** Two decimals, as ratios are compared with bounds such as 0.95. */
export function ratio(value: number): string {
  return value.toFixed(2);
}

/** `12,300 (11,900–12,800)`, or `10.5 (10–11.1) ms` where all have the same unit. */
export function withSpread({ median, minimum, maximum }: Spread, format = number): string {
  const texts = [median, minimum, maximum].map(format);
  const [, unit = ''] = /( \S+)$/.exec(texts[0] ?? '') ?? [];
  const common = texts.every((text) => text.endsWith(unit)) ? unit : '';
  const [middle, least, most] = texts.map((text) => text.slice(0, text.length - common.length));
  return `${middle} (${least}–${most})${common}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Microseconds in the unit that reads best. */
export function duration(microseconds: number): string {
  if (microseconds >= 1_000_000) return `${number(microseconds / 1_000_000)} s`;
  if (microseconds >= 1_000) return `${number(microseconds / 1_000)} ms`;
  return `${number(microseconds)} µs`;
}
