import { randomUUID } from 'node:crypto';
import type {
  ChangePasswordBody,
  ResetPasswordBody,
  Tokens,
} from '../../../contracts/authentication.ts';
import type { PasswordResetRequested } from '../../../contracts/events.ts';
import { hashPasswordResetToken } from '../../../contracts/password-reset-token.ts';
import { Problem } from '../../http/problem.ts';
import type { Logger } from '../../observability/logger.ts';
import { eventEnvelope } from '../../queue/outbox.ts';
import type { AccountRepository } from '../accounts/account-repository.ts';
import { AccessError } from '../errors.ts';
import { type LoginThrottle, throttled } from '../logins/login-throttle.ts';
import type { TokenIssuer } from '../logins/token-issuer.ts';
import type { PasswordResetRepository } from '../password-resets/password-reset-repository.ts';
import type { SessionRevoker } from '../sessions/session-revoker.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { objectionToPassword, type PasswordOwner } from './password-rules.ts';

export interface PasswordsParts {
  readonly accounts: AccountRepository;
  readonly resets: PasswordResetRepository;
  readonly hasher: PasswordHasher;
  readonly sessionRevoker: SessionRevoker;
  readonly issuer: TokenIssuer;
  readonly throttle: LoginThrottle;
  /** Sends an event that is in the outbox, in the background; it must not throw. */
  readonly dispatch: (event: PasswordResetRequested) => void;
  readonly logger: Logger;
}

export class Passwords {
  readonly #parts: PasswordsParts;

  constructor(parts: PasswordsParts) {
    this.#parts = parts;
  }

  /**
   * Hashes a new user's password.
   *
   * @param address - of the client.
   * @param field - name of the password's field in the body.
   * @throws `Problem` validation-failed for a common password, {@link AccessError} password-hashing-busy
   */
  async hashNew(
    password: string,
    owner: PasswordOwner,
    address: string,
    field = 'password',
  ): Promise<string> {
    const detail = objectionToPassword(password, owner);
    if (detail !== null) {
      throw new Problem('validation-failed', `The body is not valid: /${field}.`, {
        errors: [{ pointer: `/${field}`, detail }],
      });
    }
    return await this.#parts.hasher.hash(password, address);
  }

  /**
   * Changes a known password, revokes all sessions, and API keys unless they are kept, and begins a new session for the caller.
   *
   * @throws `Problem` validation-failed; {@link AccessError} wrong-password, too-many-logins, password-hashing-busy
   */
  async change(
    userId: number,
    { currentPassword, newPassword, keepApiKeys }: ChangePasswordBody,
    address: string,
  ): Promise<Tokens> {
    const { accounts, sessionRevoker, hasher, issuer, logger, throttle } = this.#parts;
    const account = await accounts.find(userId);
    if (account === null) throw wrongPassword();
    // Throttled apart from logins, which strangers can make fail.
    const { matches } = await throttled(throttle, changeOf(userId), undefined, () =>
      hasher.verify(currentPassword, account.passwordHash, address),
    );
    if (account.passwordHash === null || !matches) throw wrongPassword();
    await Promise.all([
      throttle.succeeded(changeOf(userId)),
      throttle.succeeded(account.email, address),
    ]);
    const hash = await this.hashNew(newPassword, account, address, 'newPassword');
    const { passwordHash: from, role } = account;
    const ended = await accounts.changePassword(userId, { from, to: hash, keepApiKeys });
    if (ended === null) throw wrongPassword();
    const { generation, revokedApiKeys } = ended;
    logger.info({ userId, revokedApiKeys }, 'Password changed');
    await sessionRevoker.forgetSessions(userId, generation);
    return await issuer.begin({ userId, role, generation });
  }

  /** Has a password reset sent, if an account has the address. Takes the same steps and the same time otherwise. */
  async requestReset(email: string): Promise<void> {
    const { dispatch, resets } = this.#parts;
    const [passwordResetId, eventId] = [randomUUID(), randomUUID()];
    const requestedAt = await resets.request({ passwordResetId, eventId, email });
    dispatch({
      ...eventEnvelope(eventId, requestedAt),
      type: 'user.password-reset-requested',
      data: { passwordResetId },
    });
  }

  /**
   * Sets a new password with a reset's secret, once. It revokes all sessions; and API keys, unless they are kept: an intruder may have created
   * them.
   *
   * @throws `Problem` validation-failed; {@link AccessError} invalid-reset-token, password-hashing-busy
   */
  async reset(
    { token, newPassword, keepApiKeys }: ResetPasswordBody,
    address: string,
  ): Promise<void> {
    const { sessionRevoker, logger, resets, throttle } = this.#parts;
    const tokenHash = hashPasswordResetToken(token);
    const owner = await resets.findOwner(tokenHash);
    if (owner === null) throw invalidResetToken();
    const passwordHash = await this.hashNew(newPassword, owner, address, 'newPassword');
    const used = await resets.use(tokenHash, passwordHash, keepApiKeys);
    if (used === null) throw invalidResetToken();
    const { generation, revokedApiKeys, userId } = used;
    logger.info({ userId, revokedApiKeys }, 'Password reset');
    await sessionRevoker.forgetSessions(userId, generation);
    await throttle.succeeded(owner.email, address);
  }
}

/** Never equals an email address, which contains @. */
const changeOf = (userId: number) => `password of user ${userId}`;

function wrongPassword(): AccessError {
  return new AccessError('wrong-password', 'The current password is wrong.');
}

function invalidResetToken(): AccessError {
  return new AccessError(
    'invalid-reset-token',
    'The link has expired, was used, or was made worthless by a change of password.',
  );
}
