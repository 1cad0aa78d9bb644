import { createRoute, z } from '@hono/zod-openapi';
import {
  changePasswordBody,
  currentUser,
  endSessionsQuery,
  loginBody,
  refreshTokenBody,
  requestPasswordResetBody,
  resetPasswordBody,
  setRoleBody,
  tokens,
  userRole,
} from '../../contracts/authentication.ts';
import { USERS_PATH } from '../../contracts/users.ts';
import {
  bodyProblems,
  databaseProblems,
  json,
  jsonBody,
  problems,
  userParams,
} from '../http/route-parts.ts';

export const AUTH_PATH = '/api/v1/auth';

export const loginRoute = createRoute({
  method: 'post',
  path: `${AUTH_PATH}/login`,
  summary: 'Log in',
  request: { body: jsonBody(loginBody) },
  responses: {
    200: json('An access token and a refresh token', tokens),
    ...problems(
      ...bodyProblems,
      'invalid-credentials',
      'account-not-active',
      'too-many-logins',
      'password-hashing-busy',
      ...databaseProblems,
    ),
  },
});

export const refreshRoute = createRoute({
  method: 'post',
  path: `${AUTH_PATH}/refresh`,
  summary: 'Exchange a refresh token for new tokens',
  request: { body: jsonBody(refreshTokenBody) },
  responses: {
    200: json('New tokens; the refresh token that was sent is used up', tokens),
    ...problems(
      ...bodyProblems,
      'invalid-refresh-token',
      'sessions-unavailable',
      ...databaseProblems,
    ),
  },
});

export const logoutRoute = createRoute({
  method: 'post',
  path: `${AUTH_PATH}/logout`,
  summary: 'End the session of a refresh token',
  request: { body: jsonBody(refreshTokenBody) },
  responses: {
    204: { description: 'The session has ended, or never existed' },
    ...problems(...bodyProblems, 'sessions-unavailable', ...databaseProblems),
  },
});

export const endSessionsRoute = createRoute({
  method: 'delete',
  path: `${USERS_PATH}/{id}/sessions`,
  summary: 'Log out everywhere: end all sessions of a user, and revoke the API keys',
  request: { params: userParams, query: endSessionsQuery },
  responses: {
    204: { description: 'All sessions have ended' },
    ...problems('validation-failed', 'user-not-found', ...databaseProblems),
  },
});

export const currentUserRoute = createRoute({
  method: 'get',
  path: `${AUTH_PATH}/me`,
  summary: 'Get the owner of the credentials',
  responses: {
    200: json('The user, and what the credentials allow', currentUser),
    // Between the erasure of the user and the end of the access token everywhere.
    ...problems('user-not-found', ...databaseProblems),
  },
});

export const changePasswordRoute = createRoute({
  method: 'put',
  path: `${AUTH_PATH}/password`,
  summary: 'Change the password, end other sessions, and revoke the API keys',
  request: { body: jsonBody(changePasswordBody) },
  responses: {
    200: json('Tokens of a new session', tokens),
    ...problems(
      ...bodyProblems,
      'wrong-password',
      'too-many-logins',
      'password-hashing-busy',
      ...databaseProblems,
    ),
  },
});

export const requestPasswordResetRoute = createRoute({
  method: 'post',
  path: `${AUTH_PATH}/password-resets`,
  summary: 'Request a password reset by email',
  request: { body: jsonBody(requestPasswordResetBody) },
  responses: {
    202: { description: 'If a user has that address, an email is sent' },
    ...problems(...bodyProblems, ...databaseProblems),
  },
});

export const resetPasswordRoute = createRoute({
  method: 'post',
  path: `${AUTH_PATH}/password-resets/confirm`,
  summary: 'Set a new password with the secret of a reset link',
  request: { body: jsonBody(resetPasswordBody) },
  responses: {
    204: { description: 'The password is set, all sessions have ended, and API keys are revoked' },
    ...problems(
      ...bodyProblems,
      'invalid-reset-token',
      'password-hashing-busy',
      ...databaseProblems,
    ),
  },
});

/** Longer than the page. */
const PAGE_MAXIMUM_LENGTH = 100_000;

export const resetPageRoute = createRoute({
  method: 'get',
  path: '/reset-password',
  summary: 'The password reset page',
  responses: {
    200: {
      description: 'A page with a form',
      content: { 'text/html': { schema: z.string().meta({ maxLength: PAGE_MAXIMUM_LENGTH }) } },
    },
  },
});

export const setRoleRoute = createRoute({
  method: 'put',
  path: `${USERS_PATH}/{id}/role`,
  summary: 'Set the role of a user',
  request: { params: userParams, body: jsonBody(setRoleBody) },
  responses: {
    200: json('The new role of the user', userRole),
    ...problems(...bodyProblems, 'user-not-found', 'last-admin', ...databaseProblems),
  },
});

/** Of a point of P-256, 32 bytes in Base64url. */
const COORDINATE_LENGTH = 43;
/** More than the signing key, coming keys and former keys together. */
const KEYS_MAXIMUM = 20;

const publishedKey = z
  .object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    alg: z.literal('ES256'),
    use: z.literal('sig'),
    kid: z.string().meta({ maxLength: 100 }),
    x: z.string().meta({ maxLength: COORDINATE_LENGTH }),
    y: z.string().meta({ maxLength: COORDINATE_LENGTH }),
  })
  .meta({ id: 'PublicKey' });

export const keySetRoute = createRoute({
  method: 'get',
  path: '/.well-known/jwks.json',
  summary: 'Get the public keys that verify access tokens',
  responses: {
    200: {
      description: 'A JWK Set (RFC 7517), with keys that are published before their use',
      content: {
        'application/jwk-set+json': {
          schema: z
            .object({ keys: z.array(publishedKey).meta({ maxItems: KEYS_MAXIMUM }) })
            .meta({ id: 'KeySet' }),
        },
      },
    },
  },
});
