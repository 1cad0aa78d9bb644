/** Another user has this email address. */
export class EmailTaken extends Error {
  override readonly name = 'EmailTaken';
}

/** The user has another version than those the caller allows. */
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

/** The Idempotency-Key was used for another body. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** What the Idempotency-Key was used for has been erased. */
export class IdempotentResponseErased extends Error {
  override readonly name = 'IdempotentAnswerErased';
}
