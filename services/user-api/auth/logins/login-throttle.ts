import { AccessError } from '../errors.ts';

/** One attempt, which counts as failed until it is reported as succeeded. */
export interface ThrottledAttempt {
  readonly allowed: boolean;
  readonly retryAfterMilliseconds: number;
  /** The secret was not compared: the attempt does not count. Never rejects. */
  withdraw(): Promise<void>;
}

/**
 * Slows down guessing at one account from all addresses (`rate-limit/login-backoff.ts` implements it). It also applies to accounts that do not
 * exist, or a wait would reveal which do.
 */
export interface LoginThrottle {
  /**
   * Admits one attempt. Never rejects.
   *
   * @param address - of the client: one that the owner has logged in from is not delayed by strangers.
   */
  attempt(account: string, address?: string): Promise<ThrottledAttempt>;
  /** Clears the failures of an account after a successful login, and remembers the address. Never rejects. */
  succeeded(account: string, address?: string): Promise<void>;
}

/**
 * Runs `check` as one attempt. Only a wrong secret counts; when it throws (database down, hasher busy), nothing was compared.
 *
 * @param account - the email address as typed, or another name of the secret.
 * @throws {@link AccessError} too-many-logins, or the error of `check`.
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
