import type { ApiKeyScope } from '../../contracts/api-keys.ts';
import type { Role } from '../../contracts/authentication.ts';

/** Nobody in particular. */
export interface Anonymous {
  readonly kind: 'anonymous';
}

/** A person who has logged in. */
export interface AuthenticatedUser {
  readonly kind: 'user';
  readonly userId: number;
  readonly role: Role;
  readonly sessionId: string;
  /** When they logged in, in milliseconds since 1970. */
  readonly authenticatedAt: number;
}

/** A program with an API key of a user. */
export interface AuthenticatedApiKey {
  readonly kind: 'api-key';
  readonly apiKeyId: number;
  /** The key's owner. */
  readonly userId: number;
  /** The owner's role. */
  readonly role: Role;
  readonly scopes: readonly ApiKeyScope[];
}

/** Who sent a request, as far as it has been proved. */
export type Identity = Anonymous | AuthenticatedUser | AuthenticatedApiKey;

export const ANONYMOUS: Anonymous = { kind: 'anonymous' };
