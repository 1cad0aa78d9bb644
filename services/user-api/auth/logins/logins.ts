import type { LoginBody, Tokens } from '../../../contracts/authentication.ts';
import type { Logger } from '../../observability/logger.ts';
import type { Account, AccountRepository } from '../accounts/account-repository.ts';
import { AccessError } from '../errors.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { parseRefreshToken, type RefreshToken, sessionIdOf } from '../sessions/refresh-token.ts';
import type { SessionRevoker } from '../sessions/session-revoker.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { type LoginThrottle, throttled } from './login-throttle.ts';
import type { TokenIssuer } from './token-issuer.ts';

export interface LoginsParts {
  readonly accounts: AccountRepository;
  readonly hasher: PasswordHasher;
  readonly sessions: SessionStore;
  readonly sessionRevoker: SessionRevoker;
  readonly issuer: TokenIssuer;
  readonly throttle: LoginThrottle;
  readonly logger: Logger;
}

/** Login, refresh and logout. All methods throw `DatabaseUnavailable`. */
export class Logins {
  readonly #parts: LoginsParts;

  constructor(parts: LoginsParts) {
    this.#parts = parts;
  }

  /**
   * Takes the same steps and the same time whether or not the account exists.
   *
   * @param address - of the client, as limits count it.
   * @throws {@link AccessError} invalid-credentials, account-not-active, too-many-logins, password-hashing-busy
   */
  async login({ email, password }: LoginBody, address: string): Promise<Tokens> {
    const { accounts, hasher, issuer, throttle } = this.#parts;
    const { account, stored, matches, isOutdated } = await throttled(
      throttle,
      email,
      address,
      async () => {
        const account = await accounts.findByEmail(email);
        const stored = account?.passwordHash ?? null;
        return { account, stored, ...(await hasher.verify(password, stored, address)) };
      },
    );
    if (account === null || stored === null || !matches) {
      throw new AccessError('invalid-credentials', 'The email address or the password is wrong.');
    }
    await throttle.succeeded(email, address);
    if (account.status !== 'active') {
      throw new AccessError('account-not-active', `The account is ${account.status}.`);
    }
    if (isOutdated) await this.#renewHash(account.userId, password, stored, address);
    return await issuer.begin(account);
  }

  /**
   * Exchanges a refresh token for the next tokens, with the user's current role.
   *
   * @throws {@link AccessError} invalid-refresh-token, sessions-unavailable
   */
  async refresh(refreshToken: string): Promise<Tokens> {
    const { accounts, issuer, sessions } = this.#parts;
    const token = parseRefreshToken(refreshToken);
    if (token === null) throw invalidRefreshToken();
    // First, so that the token is not used up if the account cannot be read.
    const account = await accounts.find(token.userId);
    if (!mayGoOn(account)) {
      await sessions.close(token);
      throw invalidRefreshToken();
    }
    const rotation = await sessions.rotate(token, account.generation);
    if (rotation === 'reused') await this.#endCopiedSession(token);
    if (rotation === 'reused' || rotation === 'unknown') throw invalidRefreshToken();
    return await issuer.next(account, rotation);
  }

  /**
   * Revokes a session and its access tokens. Idempotent.
   *
   * @throws {@link AccessError} sessions-unavailable
   */
  async logout(refreshToken: string): Promise<void> {
    const { sessions, sessionRevoker } = this.#parts;
    const token = parseRefreshToken(refreshToken);
    if (token === null || !(await sessions.close(token))) return;
    await sessionRevoker.endAccessTokens(sessionIdOf(token));
  }

  async #endCopiedSession(token: RefreshToken): Promise<void> {
    const { sessionRevoker, logger } = this.#parts;
    const sessionId = sessionIdOf(token);
    logger.warn({ userId: token.userId, sessionId }, 'Refresh token reused: session ended');
    await sessionRevoker.endAccessTokens(sessionId);
  }

  /** A failure does not fail the login: the next one tries again. */
  async #renewHash(userId: number, password: string, from: string, address: string): Promise<void> {
    const { accounts, hasher, logger } = this.#parts;
    try {
      await accounts.replaceOutdatedHash(userId, from, await hasher.hash(password, address));
    } catch (error) {
      logger.warn({ userId, error }, 'An outdated password hash was not replaced');
    }
  }
}

function mayGoOn(account: Account | null): account is Account {
  return account?.status === 'active';
}

function invalidRefreshToken(): AccessError {
  return new AccessError(
    'invalid-refresh-token',
    'The refresh token is not good, or not any more.',
  );
}
