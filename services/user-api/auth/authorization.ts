import type { Context } from 'hono';
import type { User, VisibleUser } from '../../contracts/users.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import type { Operation } from '../http/operations.ts';
import { requireCredentials, requireRecentLogin } from './authenticator.ts';
import { AccessError } from './errors.ts';
import type { AuthenticatedUser, Identity } from './identity.ts';
import {
  type FieldPermission,
  type Permission,
  permissions,
  RECENT_LOGIN_SECONDS,
  userFieldPermissions,
} from './permissions.ts';

export type Decision = 'allowed' | 'credentials required' | 'recent login required' | 'forbidden';

type Cells = Pick<Permission, 'anonymous' | 'user' | 'admin' | 'apiKey' | 'login'>;

/** Whether the session's login is recent; renewals do not count. */
function isRecent({ authenticatedAt }: AuthenticatedUser): boolean {
  return Date.now() - authenticatedAt <= 1_000 * RECENT_LOGIN_SECONDS;
}

/**
 * Decides by one row.
 *
 * @param subject - id of the user whose resource it is, from the path; undefined for none.
 */
export function decide(cells: Cells, identity: Identity, subject: string | undefined): Decision {
  if (identity.kind === 'anonymous') {
    return cells.anonymous === 'yes' ? 'allowed' : 'credentials required';
  }
  const reach = cells[identity.role];
  const reaches = reach === 'all' || (reach === 'self' && subject === String(identity.userId));
  if (!reaches) return 'forbidden';
  if (identity.kind === 'user') {
    return cells.login === 'any' || isRecent(identity) ? 'allowed' : 'recent login required';
  }
  if (cells.apiKey === 'any key') return 'allowed';
  return cells.apiKey !== 'no key' && identity.scopes.includes(cells.apiKey)
    ? 'allowed'
    : 'forbidden';
}

export function mayUseField(
  permission: FieldPermission,
  identity: Identity,
  userId: number,
): boolean {
  return decide(permission, identity, String(userId)) === 'allowed';
}

export type ProtectedHandler = (
  context: Context<ApiEnvironment>,
  identity: Identity,
) => Response | Promise<Response>;

export interface ProtectedOperation {
  readonly route: Operation['route'];
  readonly handler: ProtectedHandler;
}

/** The operation's row in the table of permissions; without one it is refused. */
export function permissionOf({ route }: Pick<ProtectedOperation, 'route'>): Permission | undefined {
  const method = route.method.toUpperCase();
  return permissions.find((row) => row.method === method && row.path === route.path);
}

/** Routes, as `METHOD /path`, that the table of permissions lacks: all requests to them are refused. */
export function routesWithoutPermission(
  operations: readonly Pick<ProtectedOperation, 'route'>[],
): string[] {
  return operations
    .filter((operation) => permissionOf(operation) === undefined)
    .map(({ route }) => `${route.method.toUpperCase()} ${route.path}`);
}

/** Makes the function that authenticates and authorizes requests to an operation; synchronous where possible. */
export type AdmitTo = (
  route: Operation['route'],
) => (context: Context<ApiEnvironment>) => Identity | Promise<Identity>;

/** Puts the table of permissions in front of operations. A wrapper, because a middleware would cost every request a promise. */
export function protect(operations: readonly ProtectedOperation[], admitTo: AdmitTo): Operation[] {
  return operations.map((operation) => {
    const { route } = operation;
    const permission = permissionOf(operation);
    const admit = admitTo(route);
    const run = (context: Context<ApiEnvironment>, identity: Identity) => {
      if (permission === undefined) throw forbidden('No permission has been given for this route.');
      const decision = decide(permission, identity, context.req.param('id'));
      if (decision === 'credentials required') throw requireCredentials();
      if (decision === 'recent login required') throw requireRecentLogin();
      if (decision === 'forbidden') throw forbidden(reasonFor(identity, permission));
      return operation.handler(context, identity);
    };
    return {
      route,
      handler: (context) => {
        const identity = admit(context);
        return identity instanceof Promise
          ? identity.then((known) => run(context, known))
          : run(context, identity);
      },
    };
  });
}

/** Names the remedy, and nothing about the resource, not even whether it exists. */
function reasonFor(identity: Identity, { apiKey }: Permission): string {
  if (identity.kind !== 'api-key') return 'Your role does not allow this.';
  if (apiKey === 'no key') return 'API keys may not do this; log in.';
  if (apiKey !== 'any key' && !identity.scopes.includes(apiKey)) {
    return `The API key does not have the scope ${apiKey}.`;
  }
  return "The role of the API key's owner does not allow this.";
}

function forbidden(detail: string): AccessError {
  return new AccessError('forbidden', detail);
}

/** The two representations of a user: without and with the email address. */
export type Representation = 'public' | 'private';

export function representationFor(identity: Identity, userId: number): Representation {
  return mayUseField(userFieldPermissions.readEmail, identity, userId) ? 'private' : 'public';
}

export function listRepresentationFor(identity: Identity): Representation {
  const ofAll = decide(userFieldPermissions.readEmail, identity, undefined);
  return ofAll === 'allowed' ? 'private' : 'public';
}

/** The creator has sent the email address. */
export const creatorRepresentation: Representation = 'private';

export function shownUser(user: User, representation: Representation): VisibleUser {
  if (representation === 'private') return user;
  // JSON omits it. Copying all fields but one takes several times as long, which matters in a page of users.
  return { ...user, email: undefined };
}
