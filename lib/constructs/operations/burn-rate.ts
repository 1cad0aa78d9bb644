import { Duration } from 'aws-cdk-lib';

const PERCENT = 100;
/** The objective is by the month; a month of the error budget has so many hours (30 days). */
const MONTH_HOURS = 720;
/** An objective can be so low that no failure burns its budget fast; then most requests failing is what counts. */
const MOST_PERCENT = 90;

/** How fast the error budget may be burnt before somebody is told. */
export interface BurnRate {
  /** Share of a month's budget that is gone after the long window at this rate, in percent. */
  readonly budgetPercent: number;
  readonly longWindow: Duration;
  /** A twelfth of the long window, as the workbook advises. */
  readonly shortWindow: Duration;
}

/**
 * Multiwindow, multi-burn-rate alerts of the Site Reliability Workbook, chapter 5, table 5-8 (https://sre.google/workbook/alerting-on-slos/):
 * 2 % of the month's budget in an hour pages, 5 % in six hours pages, 10 % in three days makes a ticket. The last is 10 % in a day here,
 * 3 times the even rate in place of 1 time: over 3 days one bad hour would keep the ticket open until the weekend.
 */
export const burnRates = {
  fast: { budgetPercent: 2, longWindow: Duration.hours(1), shortWindow: Duration.minutes(5) },
  slow: { budgetPercent: 5, longWindow: Duration.hours(6), shortWindow: Duration.minutes(30) },
  lasting: { budgetPercent: 10, longWindow: Duration.days(1), shortWindow: Duration.hours(2) },
} as const satisfies Readonly<Record<string, BurnRate>>;

/** How many times faster than evenly over the month the budget is burnt: 14.4, 6 and 3 for those above. */
export function burnFactor({ budgetPercent, longWindow }: BurnRate): number {
  return ((budgetPercent / PERCENT) * MONTH_HOURS) / longWindow.toHours();
}

/** Percent of requests that fail at that rate, by the objective in percent; to a thousandth of a percent. */
export function burnThresholdPercent(rate: BurnRate, availabilityPercent: number): number {
  const percent = burnFactor(rate) * (PERCENT - availabilityPercent);
  return Math.min(MOST_PERCENT, Number(percent.toFixed(3)));
}
