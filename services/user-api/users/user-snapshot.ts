import type { User } from '../../contracts/users.ts';

/** A user as it is answered: the version for the ETag, and the bytes of the body. */
export interface UserSnapshot {
  readonly version: number;
  readonly body: Uint8Array;
  /** Whether a cache had it. @default false */
  readonly fromCache?: boolean;
}

const encoder = new TextEncoder();

/** The user as the API gives it, made once and then kept and sent as it is. */
export function toSnapshot(user: User): UserSnapshot {
  return { version: user.version, body: encoder.encode(JSON.stringify(user)) };
}
