import type { Context } from 'hono';
import {
  type CurrentUser,
  changePasswordBody,
  endSessionsQuery,
  loginBody,
  refreshTokenBody,
  requestPasswordResetBody,
  resetPasswordBody,
  setRoleBody,
} from '../../contracts/authentication.ts';
import type { User } from '../../contracts/users.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { JsonBodyReader } from '../http/body.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import { jsonResponse, userIdParameter } from '../http/route-parts.ts';
import { parseQuery } from '../http/validation.ts';
import type { RoleChanges } from './accounts/role-changes.ts';
import { requireCredentials } from './authenticator.ts';
import type { ProtectedOperation } from './authorization.ts';
import { representationFor, shownUser } from './authorization.ts';
import { UserNotFound } from './errors.ts';
import type { AuthenticatedUser, Identity } from './identity.ts';
import type { Logins } from './logins/logins.ts';
import { resetPageResponse } from './password-resets/reset-page.ts';
import type { Passwords } from './passwords/passwords.ts';
import {
  changePasswordRoute,
  currentUserRoute,
  endSessionsRoute,
  keySetRoute,
  loginRoute,
  logoutRoute,
  refreshRoute,
  requestPasswordResetRoute,
  resetPageRoute,
  resetPasswordRoute,
  setRoleRoute,
} from './routes.ts';
import type { SessionRevoker } from './sessions/session-revoker.ts';
import type { KeyRing } from './tokens/key-ring.ts';

export interface AuthOperationParts {
  readonly logins: Logins;
  readonly passwords: Passwords;
  readonly roles: RoleChanges;
  readonly sessionRevoker: SessionRevoker;
  readonly keys: KeyRing;
  readonly findUser: (userId: number) => Promise<User | null>;
}

/**
 * Cache lifetime of the public keys, in seconds: much shorter than the lead of a new key (`ROTATION_LEAD_SECONDS`), and short enough that a
 * leaked key does not stay trusted.
 */
const KEY_SET_MAXIMUM_AGE_SECONDS = 300;

/** @throws `AccessError` credentials-required; the table of permissions already refuses other identities. */
function loggedIn(identity: Identity): AuthenticatedUser {
  if (identity.kind !== 'user') throw requireCredentials();
  return identity;
}

const addressOf = ({ env }: Context<ApiEnvironment>): string => env.address;

function noContent(status = 204): Response {
  return new Response(null, { status, headers: { 'cache-control': cacheControl.moment } });
}

/**
 * The operations on logins and sessions.
 *
 * Refresh tokens travel in bodies and access tokens in a header, never in cookies, so another site cannot send a request with them (CSRF).
 * A single-page app keeps the access token in memory; one that must protect the refresh token from injected scripts puts a server of its own
 * between (RFC 9700, 4.14; "backend for frontend").
 */
export function createAuthOperations(
  parts: AuthOperationParts,
  readBody: JsonBodyReader,
): ProtectedOperation[] {
  const { sessionRevoker, findUser, keys, logins, passwords, roles } = parts;
  return [
    {
      route: loginRoute,
      handler: async (context) =>
        jsonResponse(await logins.login(await readBody(context, loginBody), addressOf(context))),
    },
    {
      route: refreshRoute,
      handler: async (context) => {
        const { refreshToken } = await readBody(context, refreshTokenBody);
        return jsonResponse(await logins.refresh(refreshToken));
      },
    },
    {
      route: logoutRoute,
      handler: async (context) => {
        const { refreshToken } = await readBody(context, refreshTokenBody);
        await logins.logout(refreshToken);
        return noContent();
      },
    },
    {
      route: endSessionsRoute,
      handler: async (context) => {
        const { keep_api_keys: keepApiKeys } = parseQuery(endSessionsQuery, context.req.url);
        const found = await sessionRevoker.endAll(userIdParameter(context), { keepApiKeys });
        if (!found) throw new UserNotFound('No sessions of nobody');
        return noContent();
      },
    },
    {
      route: currentUserRoute,
      handler: async (_context, identity) => {
        if (identity.kind === 'anonymous') throw requireCredentials();
        const user = await findUser(identity.userId);
        if (user === null) throw new UserNotFound('Deleted a moment ago');
        return jsonResponse(describe(identity, user));
      },
    },
    {
      route: changePasswordRoute,
      handler: async (context, identity) => {
        const { userId } = loggedIn(identity);
        const body = await readBody(context, changePasswordBody);
        return jsonResponse(await passwords.change(userId, body, addressOf(context)));
      },
    },
    {
      route: requestPasswordResetRoute,
      handler: async (context) => {
        const { email } = await readBody(context, requestPasswordResetBody);
        await passwords.requestReset(email);
        return noContent(202);
      },
    },
    {
      route: resetPasswordRoute,
      handler: async (context) => {
        await passwords.reset(await readBody(context, resetPasswordBody), addressOf(context));
        return noContent();
      },
    },
    { route: resetPageRoute, handler: resetPageResponse },
    {
      route: setRoleRoute,
      handler: async (context, identity) => {
        const { userId: by } = loggedIn(identity);
        const userId = userIdParameter(context);
        const { role } = await readBody(context, setRoleBody);
        return jsonResponse(await roles.setRole(userId, role, by));
      },
    },
    {
      route: keySetRoute,
      handler: () =>
        new Response(JSON.stringify({ keys: keys.published(Date.now()) }), {
          headers: {
            'content-type': 'application/jwk-set+json',
            'cache-control': `public, max-age=${KEY_SET_MAXIMUM_AGE_SECONDS}`,
          },
        }),
    },
  ];
}

function describe(identity: Exclude<Identity, { kind: 'anonymous' }>, found: User): CurrentUser {
  const { role } = identity;
  const user = shownUser(found, representationFor(identity, found.id));
  if (identity.kind === 'user') return { user, role, credential: 'access-token' };
  return { user, role, credential: 'api-key', scopes: [...identity.scopes] };
}
