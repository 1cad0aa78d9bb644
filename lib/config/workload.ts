import { z } from 'zod';
import { percent, wholeNumber } from './validate.ts';

/** What a stage is asked to carry. Everything that is sized follows from it, and from the stage's policy. */
export const workload = z.strictObject({
  /** Requests that arrive at the edge in the busiest seconds of an ordinary day, per second. */
  peakRequestsPerSecond: z
    .number('It takes a number')
    .positive('It takes more than 0')
    .max(10_000_000, 'It takes at most 10,000,000'),
  /** The month's mean as a share of the peak, in percent: what is paid by request follows the mean, not the peak. */
  averagePercent: percent.positive('It takes more than 0'),
  /** Share of requests that read, in percent; the others write. */
  readPercent: percent,
  /** Share of the reads that the edge may keep, in percent: public ones, without credentials. */
  edgeCacheablePercent: percent,
  /** Mean body of a response, in bytes. */
  payloadBytes: wholeNumber(1, 10_485_760),
  /** Users in the database. */
  users: wholeNumber(1, 10_000_000_000),
  /** Share of the writes that create a user, and so send an email, in percent. */
  createPercent: percent,
  /** Share of all requests that log in, and so hash a password, in percent. */
  loginPercent: percent,
  /** By how much requests and users grow in a year, in percent. */
  growthPercentPerYear: z.number('It takes a number').min(0, 'It takes at least 0'),
});

/** What a stage is asked to carry, as {@link workload} validates it. */
export type Workload = z.output<typeof workload>;
