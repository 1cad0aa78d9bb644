import type { ProblemSlug } from '../http/problem-types.ts';
import { ApiProblem, ApiUnreachable, UnexpectedResponse } from './errors.ts';
import type { Repeatability } from './operations.ts';

export interface RetryOptions {
  /** Attempts for each call, the first included. @default 4 */
  readonly attempts?: number;
  /** Longest wait before the second attempt when the response names none, in milliseconds; it doubles with each. @default 200 */
  readonly baseMilliseconds?: number;
  /** Longest wait between two attempts. A response that asks for a longer one is not waited for. @default 10000 */
  readonly maximumMilliseconds?: number;
  /** Between 0 and 1. @default Math.random */
  readonly random?: () => number;
  /** Waits so many milliseconds, or rejects when the signal is aborted. @default a timer */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

const ATTEMPTS = 4;
const BASE_MILLISECONDS = 200;
const MAXIMUM_MILLISECONDS = 10_000;

/** Problems that say that the request was not applied: whatever it was, it can be sent again. */
const NOT_APPLIED: ReadonlySet<string> = new Set<ProblemSlug>([
  'rate-limit-exceeded',
  'too-many-logins',
  'overloaded',
  'password-hashing-busy',
  'database-unavailable',
  'deadline-exceeded',
]);
/** Statuses that pass by themselves, of the API or of a proxy in front of it. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/**
 * Whether the same request may be sent once more after it failed with `error`.
 *
 * @param isConditional - whether it has an If-Match, without which a second attempt could overwrite what somebody else changed after the first.
 */
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
 * Runs `attempt` until it succeeds, fails for good, or has had its attempts.
 *
 * Waits are random between nothing and a bound that doubles ("full jitter",
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that clients that failed together do not come back together. Where the
 * answer has a Retry-After, they are added to it: nobody comes earlier than they were told.
 *
 * @throws what the last attempt threw.
 */
export async function withRetries<Result>(
  attempt: () => Promise<Result>,
  request: {
    readonly repeatable: Repeatability;
    /** Whether it has an If-Match. */
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
      const told = error instanceof ApiProblem ? retryAfterMilliseconds(error.headers) : null;
      if (told !== null && told > maximumMilliseconds) throw error;
      await wait((told ?? 0) + jitter, signal);
    }
  }
}
