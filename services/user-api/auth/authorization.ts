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

/** The cells of a row, of a route or of a field. */
type Cells = Pick<Permission, 'anonymous' | 'user' | 'admin' | 'apiKey' | 'login'>;

/** Whether the login that a session began with is recent; renewing the session does not count. */
function isRecent({ authenticatedAt }: AuthenticatedUser): boolean {
  return Date.now() - authenticatedAt <= 1_000 * RECENT_LOGIN_SECONDS;
}

/**
 * Reads one row.
 *
 * @param subject - id of the user whose resource it is, as the path has it; undefined where it is nobody's in particular.
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

/** Whether somebody may see, or set, a field of the user with that id. */
export function mayUseField(
  permission: FieldPermission,
  identity: Identity,
  userId: number,
): boolean {
  return decide(permission, identity, String(userId)) === 'allowed';
}

/** What answers a request from somebody who may make it. */
export type ProtectedHandler = (
  context: Context<ApiEnvironment>,
  identity: Identity,
) => Response | Promise<Response>;

/** An operation that is told who asks. One that does not want to know is one too. */
export interface ProtectedOperation {
  readonly route: Operation['route'];
  readonly handler: ProtectedHandler;
}

/** The row of an operation in the table of permissions; undefined when it has none, and is therefore refused to everybody. */
export function permissionOf({ route }: Pick<ProtectedOperation, 'route'>): Permission | undefined {
  const method = route.method.toUpperCase();
  return permissions.find((row) => row.method === method && row.path === route.path);
}

/** Routes, as `METHOD /path`, that the table of permissions does not have: all that ask for them are refused. */
export function routesWithoutPermission(
  operations: readonly Pick<ProtectedOperation, 'route'>[],
): string[] {
  return operations
    .filter((operation) => permissionOf(operation) === undefined)
    .map(({ route }) => `${route.method.toUpperCase()} ${route.path}`);
}

/** Makes the function that finds out who sends a request to an operation, and whether it may come in at all; at once where nothing has to be waited for. */
export type AdmitTo = (
  route: Operation['route'],
) => (context: Context<ApiEnvironment>) => Identity | Promise<Identity>;

/**
 * Puts the table of permissions in front of operations: who asks is found out, then the operation's row is read, then it runs. It is a
 * wrapper and not a middleware, because a middleware would cost every request a promise; this waits only for what must be waited for.
 */
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

/** Tells what would help, and nothing about the resource, not even whether it is there. */
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

/**
 * The two ways to show a user: to everybody, without the email address; and with it. Which one a response has is decided here alone.
 */
export type Representation = 'public' | 'private';

/** How `identity` may see the user with that id. */
export function representationFor(identity: Identity, userId: number): Representation {
  return mayUseField(userFieldPermissions.readEmail, identity, userId) ? 'private' : 'public';
}

/** How `identity` may see users in a list: with email addresses only who may see those of all. */
export function listRepresentationFor(identity: Identity): Representation {
  const ofAll = decide(userFieldPermissions.readEmail, identity, undefined);
  return ofAll === 'allowed' ? 'private' : 'public';
}

/** How a user is shown to whoever creates it: the request had the email address. */
export const creatorRepresentation: Representation = 'private';

export function shownUser(user: User, representation: Representation): VisibleUser {
  if (representation === 'private') return user;
  // JSON leaves it out. To copy all fields but one takes several times as long, which is felt in a page of users.
  return { ...user, email: undefined };
}
