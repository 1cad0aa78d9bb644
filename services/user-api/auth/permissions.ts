import type { ApiKeyScope } from '../../contracts/api-keys.ts';

/** What somebody with a login may do with the resources of a route: of all users, of oneself (`{id}` in the path is one's own), none. */
export type Reach = 'all' | 'self' | 'none';

/**
 * What an API key may do: nothing more than its owner with that role may, and of that, with the scope that is named; with any key; or
 * nothing, whatever its scopes.
 */
export type KeyAccess = ApiKeyScope | 'any key' | 'no key';

/**
 * How long ago a login may be to count as recent: as long as an access token lives, so that a copied session, however long it is
 * renewed, is not enough (OWASP ASVS 5.0, 7.5.1; Authentication Cheat Sheet, "Require re-authentication for sensitive features").
 */
export const RECENT_LOGIN_SECONDS = 600;

/**
 * Which login an action takes. `recent` is for what gives lasting access, hands out personal data or destroys it: a stolen session
 * must not be enough. What only takes access away (revoking, logging out) takes any, so that an owner is never slowed down. It says
 * nothing about API keys, which take a recent login to be made.
 */
export type LoginAge = 'any' | 'recent';

/** Who may use one route. */
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
 * Who may do what: every route of the API has its row here, and what has none is refused to everybody. `docs/permissions.md` is made of
 * it, and each cell is tested. Changing the password needs no recent login, because its body has the current password.
 *
 * API keys cannot make or end API keys, nor touch passwords, sessions and roles: one that leaks must not be able to outlive its end.
 * An administrator may not make keys that act for somebody else.
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

/** Who sees, and who sets, a field of a user that is not for everybody; of the route's own permission, a part. */
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
  /** The public profile has no email. */
  readEmail: {
    field: 'email',
    access: 'read',
    anonymous: 'no',
    user: 'self',
    admin: 'all',
    apiKey: 'users:read-private',
    login: 'any',
  },
  /** Or people could end their own suspension. */
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
   * Whoever sets the address can have a link to a new password sent there, and has the account: that takes a person, who logged in
   * recently. A key with `users:write` would be worth the whole account otherwise.
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
