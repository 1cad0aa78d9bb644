import type { RoutePolicyName } from './default-policies.ts';

interface Route {
  /** In whatever case. */
  readonly method: string;
  /** The route's pattern, as in the OpenAPI document. */
  readonly path: string;
}

/** By method, what a request does. HEAD counts as GET does. */
const byMethod: Readonly<Record<string, RoutePolicyName>> = {
  GET: 'reads',
  POST: 'creates',
  PATCH: 'updates',
  PUT: 'updates',
  DELETE: 'deletes',
};

/** Where the method does not tell; null for what counts under no policy. */
const byRoute: Readonly<Record<string, RoutePolicyName | null>> = {
  // Load balancers ask these, all from the same addresses.
  'GET /health': null,
  'GET /health/live': null,
  'GET /health/ready': null,
  // Each looks at a password, or at a secret that stands for one, or sends an email to somebody else.
  'POST /api/v1/auth/login': 'logins',
  'POST /api/v1/auth/password-resets': 'logins',
  'POST /api/v1/auth/password-resets/confirm': 'logins',
  // Many people behind one address refresh their sessions, and nothing can be guessed there.
  'POST /api/v1/auth/refresh': 'updates',
  'POST /api/v1/auth/logout': 'updates',
};

/** The policy that requests to a route count under; null for none. */
export function policyOf({ method, path }: Route): RoutePolicyName | null {
  const name = method.toUpperCase();
  const special = byRoute[`${name} ${path}`];
  return special === undefined ? (byMethod[name] ?? 'updates') : special;
}
