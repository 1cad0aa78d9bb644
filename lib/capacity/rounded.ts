const SIGNIFICANT_DIGITS = 3;

/** A number for people: three significant digits, thousands apart. */
export function rounded(value: number): string {
  return value.toLocaleString('en-US', {
    maximumSignificantDigits:
      value >= 1_000 ? String(Math.round(value)).length : SIGNIFICANT_DIGITS,
  });
}
