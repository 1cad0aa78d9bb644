import { type ErrorRow, Problem, problemOf, retryAfter } from '../http/problem.ts';
import { entityTag } from '../http/request-headers.ts';

export class EmailTaken extends Error {
  override readonly name = 'EmailTaken';
}

/** The user's version is not among those allowed. */
export class VersionMismatch extends Error {
  override readonly name = 'VersionMismatch';
  readonly currentVersion: number;

  constructor(currentVersion: number) {
    super(`The user has version ${currentVersion}`);
    this.currentVersion = currentVersion;
  }
}

/** Another request with the same Idempotency-Key is in flight. */
export class IdempotencyKeyInUse extends Error {
  override readonly name = 'IdempotencyKeyInUse';
}

export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** The user that the Idempotency-Key created has been erased. */
export class IdempotentResponseErased extends Error {
  override readonly name = 'IdempotentResponseErased';
}

export const userErrorRows: readonly ErrorRow[] = [
  problemOf(
    EmailTaken,
    () =>
      new Problem('email-taken', 'Another user has this email address.', {
        errors: [{ pointer: '/email', detail: 'is taken by another user' }],
      }),
  ),
  problemOf(VersionMismatch, ({ currentVersion }) => {
    const etag = entityTag(currentVersion);
    const detail = `The preconditions do not allow the version that the user has now, which is ${etag}.`;
    return new Problem('precondition-failed', detail, { currentVersion, headers: { etag } });
  }),
  problemOf(IdempotencyKeyInUse, () => {
    const detail = 'Another request with this Idempotency-Key is being done.';
    return new Problem('idempotency-key-in-use', detail, { headers: retryAfter() });
  }),
  problemOf(IdempotencyKeyReused, () => {
    const detail = 'This Idempotency-Key was sent with another body before.';
    return new Problem('idempotency-key-reused', detail);
  }),
  problemOf(IdempotentResponseErased, () => {
    const detail = 'The user whom this Idempotency-Key has created was deleted.';
    return new Problem('idempotent-answer-erased', detail);
  }),
];
