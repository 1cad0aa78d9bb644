import type { ApiKeyScope } from '../../contracts/api-keys.ts';
import type { Role } from '../../contracts/authentication.ts';

export interface Anonymous {
  readonly kind: 'anonymous';
}

export interface AuthenticatedUser {
  readonly kind: 'user';
  readonly userId: number;
  readonly role: Role;
  readonly sessionId: string;
  /** Time of login, in milliseconds since 1970. */
  readonly authenticatedAt: number;
}

export interface AuthenticatedApiKey {
  readonly kind: 'api-key';
  readonly apiKeyId: number;
  readonly userId: number;
  readonly role: Role;
  readonly scopes: readonly ApiKeyScope[];
}

export type Identity = Anonymous | AuthenticatedUser | AuthenticatedApiKey;

export const ANONYMOUS: Anonymous = { kind: 'anonymous' };
