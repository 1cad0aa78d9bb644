import type { ProblemSlug } from '../http/problem-types.ts';
import { ApiProblem, ApiUnreachable, UnexpectedResponse } from './errors.ts';
import type { Repeatability } from './operations.ts';

export interface RetryOptions {
  /** Attempts of each call. @default 4 */
  readonly attempts?: number;
  /** Bound of the first wait without Retry-After, in milliseconds; it doubles with each attempt. @default 200 */
  readonly baseMilliseconds?: number;
  /** Longest wait between two attempts in milliseconds; a longer Retry-After ends the call. @default 10000 */
  readonly maximumMilliseconds?: number;
  /** Between 0 and 1. @default Math.random */
  readonly random?: () => number;
  /** @default a timer */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

const ATTEMPTS = 4;
const BASE_MILLISECONDS = 200;
const MAXIMUM_MILLISECONDS = 10_000;

/** Problems of requests that were not applied, so that any request may be repeated. */
const NOT_APPLIED: ReadonlySet<string> = new Set<ProblemSlug>([
  'rate-limit-exceeded',
  'too-many-logins',
  'overloaded',
  'password-hashing-busy',
  'database-unavailable',
  'deadline-exceeded',
]);
/** Transient statuses, of the API or of a proxy. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** @param isConditional - whether it has an If-Match, without which a repetition could overwrite a concurrent change. */
export function mayRetry(
  error: unknown,
  repeatable: Repeatability,
  isConditional: boolean,
): boolean {
  if (error instanceof ApiProblem && NOT_APPLIED.has(error.slug)) return true;
  if (repeatable === 'no' || (repeatable === 'if-match' && !isConditional)) return false;
  if (error instanceof ApiProblem || error instanceof UnexpectedResponse) {
    return PASSING.has(error.status);
  }
  return error instanceof ApiUnreachable;
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from `now`; null where there is neither. */
export function retryAfterMilliseconds(headers: Headers, now = Date.now()): number | null {
  const text = headers.get('retry-after');
  if (text === null) return null;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : null;
}

function waitFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Runs `attempt` until it succeeds, fails permanently, or has used up its attempts. Waits have full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), in addition to Retry-After.
 *
 * @throws the error of the last attempt.
 */
export async function withRetries<Result>(
  attempt: () => Promise<Result>,
  request: {
    readonly repeatable: Repeatability;
    readonly isConditional: boolean;
    readonly signal: AbortSignal | undefined;
  },
  options: RetryOptions = {},
): Promise<Result> {
  const {
    attempts = ATTEMPTS,
    baseMilliseconds = BASE_MILLISECONDS,
    maximumMilliseconds = MAXIMUM_MILLISECONDS,
    random = Math.random,
    wait = waitFor,
  } = options;
  const { isConditional, repeatable, signal } = request;
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (made >= attempts || !mayRetry(error, repeatable, isConditional)) throw error;
      const jitter = random() * Math.min(maximumMilliseconds, baseMilliseconds * 2 ** (made - 1));
      const retryAfter = error instanceof ApiProblem ? retryAfterMilliseconds(error.headers) : null;
      if (retryAfter !== null && retryAfter > maximumMilliseconds) throw error;
      await wait((retryAfter ?? 0) + jitter, signal);
    }
  }
}
