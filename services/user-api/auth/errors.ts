import { isViolationOf } from '../database/errors.ts';
import { ACTIVE_ADMINISTRATOR } from '../database/schema.ts';
import type { AccessProblemSlug } from '../http/access-problem-types.ts';
import { type ErrorRow, Problem, problemOf } from '../http/problem.ts';

export class UserNotFound extends Error {
  override readonly name = 'UserNotFound';
}

export interface AccessErrorOptions extends ErrorOptions {
  /** Sent as `Retry-After`. @default left out */
  readonly retryAfterSeconds?: number;
  /** Sent as `WWW-Authenticate` (RFC 9110, 11.6.1). @default left out */
  readonly challenge?: string;
}

/**
 * A request refused by authentication or authorization, or because a part that they need is down. `slug` is the problem's type and the message
 * its detail, shown to the client.
 */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  readonly slug: AccessProblemSlug;
  readonly headers: Readonly<Record<string, string>>;

  constructor(slug: AccessProblemSlug, detail: string, options: AccessErrorOptions = {}) {
    super(detail, options);
    this.slug = slug;
    const { retryAfterSeconds, challenge } = options;
    this.headers = {
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    };
  }
}

/** An {@link AccessError} last-admin where the database refuses to lose the last active administrator; else the error itself. */
export function lastAdministratorError(error: unknown): unknown {
  if (!isViolationOf(error, ACTIVE_ADMINISTRATOR)) return error;
  return new AccessError('last-admin', 'This user is the only active administrator.', {
    cause: error,
  });
}

export const accessErrorRows: readonly ErrorRow[] = [
  problemOf(UserNotFound, () => new Problem('user-not-found', 'There is no user with this id.')),
  problemOf(
    AccessError,
    (error) => new Problem(error.slug, error.message, { headers: error.headers, cause: error }),
  ),
];
