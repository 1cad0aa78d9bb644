import { AccessError } from '../errors.ts';

/** One attempt, which counts as failed until the throttle is told that it succeeded. */
export interface ThrottledAttempt {
  readonly allowed: boolean;
  readonly retryAfterMilliseconds: number;
  /** The secret was not looked at: the attempt counts for nothing. Never rejects. */
  withdraw(): Promise<void>;
}

/**
 * Slows down guessing at one account, whichever addresses the guesses come from (`rate-limit/login-backoff.ts` is one). To be asked for
 * accounts that do not exist as well, or a wait would tell which do.
 */
export interface LoginThrottle {
  /**
   * Asks leave for one attempt. Never rejects.
   *
   * @param address - where it comes from: one that the owner has logged in from is not held up by strangers.
   */
  attempt(account: string, address?: string): Promise<ThrottledAttempt>;
  /** Forgets the failures of an account whose owner has been recognised, and remembers the address. Never rejects. */
  succeeded(account: string, address?: string): Promise<void>;
}

/**
 * Runs `check` as one attempt: only what it finds to be wrong counts. When it throws (the database is away, the hasher busy), nothing was looked at.
 *
 * @param account - the email address as it was typed, or another name of what is guessed at.
 * @throws {@link AccessError} too-many-logins, or what `check` throws.
 */
export async function throttled<Result>(
  throttle: LoginThrottle,
  account: string,
  address: string | undefined,
  check: () => Promise<Result>,
): Promise<Result> {
  const attempt = await throttle.attempt(account, address);
  if (!attempt.allowed) {
    throw new AccessError('too-many-logins', 'Too many logins to this account have failed.', {
      retryAfterSeconds: Math.ceil(attempt.retryAfterMilliseconds / 1_000),
    });
  }
  try {
    return await check();
  } catch (error) {
    await attempt.withdraw();
    throw error;
  }
}
