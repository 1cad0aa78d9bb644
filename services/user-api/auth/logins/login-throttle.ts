import { AccessError } from '../errors.ts';

/**
 * Slows down guessing at one account, whichever addresses the guesses come from (`rate-limit/login-backoff.ts` is one). To be asked for
 * accounts that do not exist as well, or a wait would tell which do.
 */
export interface LoginThrottle {
  /** Asks leave for one attempt, which counts as failed until `succeeded`. Never rejects. */
  attempt(
    account: string,
  ): Promise<{ readonly allowed: boolean; readonly retryAfterMilliseconds: number }>;
  /** Forgets the failures of an account whose owner has been recognised. Never rejects. */
  succeeded(account: string): Promise<void>;
}

/**
 * @param email - as it was typed.
 * @throws {@link AccessError} too-many-logins
 */
export async function takeAttempt(throttle: LoginThrottle, email: string): Promise<void> {
  const { allowed, retryAfterMilliseconds } = await throttle.attempt(email);
  if (allowed) return;
  throw new AccessError('too-many-logins', 'Too many logins to this account have failed.', {
    retryAfterSeconds: Math.ceil(retryAfterMilliseconds / 1_000),
  });
}
