import { pino } from 'pino';

/** What the peers on Node.js are configured with. */

/** High enough that no request of a benchmark is refused; each is counted all the same. */
export const RATE_LIMIT = 10_000_000;
export const RATE_LIMIT_WINDOW_MILLISECONDS = 60_000;
/** The size of the pools of all that is compared: the default of DATABASE_POOL_SIZE. */
export const POOL_SIZE = 10;
export const REDIS_OPTIONS = {
  connectTimeout: 500,
  maxRetriesPerRequest: 1,
} as const;
/** Digits only, so that what cannot be an id never reaches Redis or PostgreSQL. */
export const ID = /^[1-9]\d{0,15}$/;

/** Lines are batched before they are written (https://github.com/pinojs/pino/blob/main/docs/asynchronous.md). */
export function logDestination() {
  return pino.destination({ dest: 1, sync: false, minLength: 12_288 });
}

export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`The variable ${name} is not set`);
  return value;
}
