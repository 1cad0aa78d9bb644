import { apiKeyScopeNames } from '../../../../../services/contracts/api-keys.ts';
import type { Identity } from '../../../../../services/user-api/auth/identity.ts';
import type { Permission } from '../../../../../services/user-api/auth/permissions.ts';

/** Every kind of caller there is: no credentials, a login, and a key of each owner with no scope, and with each scope alone. */
export const callers = [
  'anonymous',
  'user',
  'admin',
  ...(['user', 'admin'] as const).flatMap((owner) => [
    `key of ${owner}` as const,
    ...apiKeyScopeNames.map((scope) => `key of ${owner} with ${scope}` as const),
  ]),
] as const;
export type Caller = (typeof callers)[number];

/** Whose `{id}` is in the path. */
export const subjects = ['self', 'other'] as const;
export type Subject = (typeof subjects)[number];

/**
 * What the table says, written down a second time and by hand: for each route who may, all others may not. Should the table change by
 * mistake, the two differ.
 */
const everybody = ['anonymous', 'user', 'admin', 'keys'];
const selfOrAdmin = ['user: self', 'admin'];
export const expected: Readonly<Record<string, readonly string[]>> = {
  'GET /health': everybody,
  'GET /health/live': everybody,
  'GET /health/ready': everybody,
  'GET /problems': everybody,
  'GET /problems/{slug}': everybody,
  'GET /openapi.json': everybody,
  'GET /docs': everybody,
  'GET /docs/{asset}': everybody,
  'GET /.well-known/jwks.json': everybody,
  'GET /reset-password': everybody,
  'GET /api/v1/users': everybody,
  'POST /api/v1/users': everybody,
  'GET /api/v1/users/{id}': everybody,
  'PATCH /api/v1/users/{id}': [...selfOrAdmin, 'users:write'],
  'PUT /api/v1/users/{id}': [...selfOrAdmin, 'users:write'],
  'DELETE /api/v1/users/{id}': [...selfOrAdmin, 'users:delete'],
  'GET /api/v1/users/{id}/export': [...selfOrAdmin, 'users:read-private'],
  'PUT /api/v1/users/{id}/role': ['admin'],
  'GET /api/v1/users/{id}/api-keys': selfOrAdmin,
  'POST /api/v1/users/{id}/api-keys': ['user: self', 'admin: self'],
  'DELETE /api/v1/users/{id}/api-keys/{apiKeyId}': selfOrAdmin,
  'DELETE /api/v1/users/{id}/sessions': selfOrAdmin,
  'POST /api/v1/auth/login': everybody,
  'POST /api/v1/auth/refresh': everybody,
  'POST /api/v1/auth/logout': everybody,
  'GET /api/v1/auth/me': ['user', 'admin', 'keys'],
  'PUT /api/v1/auth/password': ['user', 'admin'],
  'POST /api/v1/auth/password-resets': everybody,
  'POST /api/v1/auth/password-resets/confirm': everybody,
};

/** The routes that take a recent login, by hand as well. */
export const expectedRecent: readonly string[] = [
  'DELETE /api/v1/users/{id}',
  'GET /api/v1/users/{id}/export',
  'PUT /api/v1/users/{id}/role',
  'POST /api/v1/users/{id}/api-keys',
];

export function isAllowed(allowed: readonly string[], caller: Caller, subject: Subject): boolean {
  if (caller === 'anonymous') return allowed.includes('anonymous');
  const [, owner = caller, scope] = /^key of (\w+)(?: with (.+))?$/.exec(caller) ?? [];
  const ownerMay =
    allowed.includes(owner) || (subject === 'self' && allowed.includes(`${owner}: self`));
  if (!caller.startsWith('key')) return ownerMay;
  return ownerMay && (allowed.includes('keys') || (scope !== undefined && allowed.includes(scope)));
}

/** Such a caller, whose user has the id 1. */
export function identityOf(caller: Caller): Identity {
  if (caller === 'anonymous') return { kind: 'anonymous' };
  const role = caller.includes('admin') ? 'admin' : 'user';
  if (!caller.startsWith('key'))
    return { kind: 'user', userId: 1, role, sessionId: 'x', authenticatedAt: Date.now() };
  const scopes = apiKeyScopeNames.filter((scope) => caller.endsWith(scope));
  return { kind: 'api-key', apiKeyId: 1, userId: 1, role, scopes };
}

export const nameOf = ({ method, path }: Permission) => `${method} ${path}`;
