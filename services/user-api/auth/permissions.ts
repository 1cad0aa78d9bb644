import type { ApiKeyScope } from '../../contracts/api-keys.ts';

/** Whose resources a route may use: all users', one's own (`{id}` in the path), none. */
export type Reach = 'all' | 'self' | 'none';

/** What an API key may do within its owner's permissions: with the named scope; with any key; nothing. */
export type KeyAccess = ApiKeyScope | 'any key' | 'no key';

/**
 * Maximum age of a recent login: the lifetime of an access token, so that a copied session is not enough, however long it is renewed (OWASP
 * ASVS 5.0, 7.5.1; Authentication Cheat Sheet, "Require re-authentication for sensitive features").
 */
export const RECENT_LOGIN_SECONDS = 600;

/**
 * The login that an action requires. `recent` is for lasting access, personal data and destruction: a stolen session must not be enough.
 * Revoking and logging out take any login, so that an owner is never delayed. API keys, which take a recent login to create, are exempt.
 */
export type LoginAge = 'any' | 'recent';

export interface Permission {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The route's pattern, as in the OpenAPI document. */
  readonly path: string;
  /** Whether it takes no credentials. */
  readonly anonymous: 'yes' | 'no';
  readonly user: Reach;
  readonly admin: Reach;
  readonly apiKey: KeyAccess;
  readonly login: LoginAge;
}

function row(
  method: Permission['method'],
  path: string,
  anonymous: 'yes' | 'no',
  user: Reach,
  admin: Reach,
  apiKey: KeyAccess,
  login: LoginAge = 'any',
): Permission {
  return { method, path, anonymous, user, admin, apiKey, login };
}

/**
 * The table of permissions: a route without a row is refused. `docs/permissions.md` is generated from it, and each cell is tested.
 * Changing the password needs no recent login, because its body has the current password.
 *
 * API keys cannot create or revoke API keys, nor use passwords, sessions and roles: a leaked key must not outlive its end. An administrator
 * cannot
 * create keys for another user.
 */
export const permissions: readonly Permission[] = [
  //  method    route                                       anonymous  user    admin   API key   login
  row('GET', '/health', 'yes', 'all', 'all', 'any key'),
  row('GET', '/health/live', 'yes', 'all', 'all', 'any key'),
  row('GET', '/health/ready', 'yes', 'all', 'all', 'any key'),
  row('GET', '/problems', 'yes', 'all', 'all', 'any key'),
  row('GET', '/problems/{slug}', 'yes', 'all', 'all', 'any key'),
  row('GET', '/openapi.json', 'yes', 'all', 'all', 'any key'),
  row('GET', '/docs', 'yes', 'all', 'all', 'any key'),
  row('GET', '/docs/{asset}', 'yes', 'all', 'all', 'any key'),
  row('GET', '/.well-known/jwks.json', 'yes', 'all', 'all', 'any key'),
  row('GET', '/reset-password', 'yes', 'all', 'all', 'any key'),

  row('GET', '/api/v1/users', 'yes', 'all', 'all', 'any key'),
  row('POST', '/api/v1/users', 'yes', 'all', 'all', 'any key'),
  row('GET', '/api/v1/users/{id}', 'yes', 'all', 'all', 'any key'),
  row('PATCH', '/api/v1/users/{id}', 'no', 'self', 'all', 'users:write'),
  row('PUT', '/api/v1/users/{id}', 'no', 'self', 'all', 'users:write'),
  row('DELETE', '/api/v1/users/{id}', 'no', 'self', 'all', 'users:delete', 'recent'),
  row('GET', '/api/v1/users/{id}/export', 'no', 'self', 'all', 'users:read-private', 'recent'),
  row('PUT', '/api/v1/users/{id}/role', 'no', 'none', 'all', 'no key', 'recent'),
  row('GET', '/api/v1/users/{id}/api-keys', 'no', 'self', 'all', 'no key'),
  row('POST', '/api/v1/users/{id}/api-keys', 'no', 'self', 'self', 'no key', 'recent'),
  row('DELETE', '/api/v1/users/{id}/api-keys/{apiKeyId}', 'no', 'self', 'all', 'no key'),
  row('DELETE', '/api/v1/users/{id}/sessions', 'no', 'self', 'all', 'no key'),

  row('POST', '/api/v1/auth/login', 'yes', 'all', 'all', 'any key'),
  row('POST', '/api/v1/auth/refresh', 'yes', 'all', 'all', 'any key'),
  row('POST', '/api/v1/auth/logout', 'yes', 'all', 'all', 'any key'),
  row('GET', '/api/v1/auth/me', 'no', 'all', 'all', 'any key'),
  row('PUT', '/api/v1/auth/password', 'no', 'all', 'all', 'no key'),
  row('POST', '/api/v1/auth/password-resets', 'yes', 'all', 'all', 'any key'),
  row('POST', '/api/v1/auth/password-resets/confirm', 'yes', 'all', 'all', 'any key'),
];

/** Permissions of a user's restricted fields, in addition to the route's. */
export interface FieldPermission {
  readonly field: string;
  readonly access: 'read' | 'write';
  readonly anonymous: 'yes' | 'no';
  readonly user: Reach;
  readonly admin: Reach;
  readonly apiKey: KeyAccess;
  readonly login: LoginAge;
}

export const userFieldPermissions = {
  readEmail: {
    field: 'email',
    access: 'read',
    anonymous: 'no',
    user: 'self',
    admin: 'all',
    apiKey: 'users:read-private',
    login: 'any',
  },
  /** Otherwise users could end their own suspension. */
  writeStatus: {
    field: 'status',
    access: 'write',
    anonymous: 'no',
    user: 'none',
    admin: 'all',
    apiKey: 'users:write',
    login: 'any',
  },
  /**
   * The email address receives password resets, so setting it takes over the account: that needs a recent login of a person. A key with
   * `users:write`
   * would otherwise be worth the whole account.
   */
  writeEmail: {
    field: 'email',
    access: 'write',
    anonymous: 'no',
    user: 'self',
    admin: 'all',
    apiKey: 'no key',
    login: 'recent',
  },
} as const satisfies Record<string, FieldPermission>;
