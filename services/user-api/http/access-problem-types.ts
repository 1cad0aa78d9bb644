import type { ProblemType } from './problem-type.ts';

/** The kinds of errors about who may do what; part of the one catalogue of the API. */
export const accessProblemTypes = {
  'credentials-required': {
    status: 401,
    title: 'Credentials required',
    meaning: 'The operation requires a login or an API key, and the request has neither.',
    remedy:
      'Log in and send the access token as `Authorization: Bearer …`, or an API key as `X-API-Key`.',
  },
  'invalid-credentials': {
    status: 401,
    title: 'Invalid credentials',
    meaning:
      'The email address or the password is wrong, or the account has no password. The response does not say which.',
    remedy: 'Check both. To set a new password by email, request a password reset.',
  },
  'invalid-access-token': {
    status: 401,
    title: 'Invalid access token',
    meaning:
      'The access token has expired, has been ended by a logout or a change of password, or was not made by this API.',
    remedy: 'Get a new one with the refresh token, or log in again.',
  },
  'login-too-old': {
    status: 401,
    title: 'Login too old',
    meaning:
      'The operation gives lasting access, exports personal data or deletes it, so it requires a login of the last 10 minutes. A renewed session does not count as one.',
    remedy: 'Ask for the password, log in, and send the request again with the new access token.',
  },
  'invalid-refresh-token': {
    status: 401,
    title: 'Invalid refresh token',
    meaning:
      'The session has ended, or the refresh token was used before. A reused token may have been copied, so reuse ends the session.',
    remedy: 'Log in again. Keep only the newest refresh token, and use each once.',
  },
  'invalid-api-key': {
    status: 401,
    title: 'Invalid API key',
    meaning: 'The API key is unknown, mistyped, expired or revoked, or its owner is not active.',
    remedy: 'Check that the whole key was copied; otherwise create a new one.',
  },
  'account-not-active': {
    status: 403,
    title: 'Account not active',
    meaning: 'The password is right, but the account is inactive or suspended.',
    remedy: 'Ask an administrator to activate the account.',
  },
  'wrong-password': {
    status: 403,
    title: 'Wrong password',
    meaning: 'The current password in the request is wrong.',
    remedy: 'Check it, or request a password reset.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The owner of the credentials may not do this.',
    remedy:
      'Look up the route in the table of permissions. An API key also needs the scope that is named there.',
  },
  'invalid-reset-token': {
    status: 400,
    title: 'Invalid reset token',
    meaning:
      'The link to a new password has expired, was used, or was sent before the last change of password.',
    remedy: 'Request a password reset again, and use the link in the newest email.',
  },
  'api-key-not-found': {
    status: 404,
    title: 'No such API key',
    meaning: 'The user has no API key with this id.',
    remedy: 'Get ids from the list of API keys.',
  },
  'too-many-api-keys': {
    status: 409,
    title: 'Too many API keys',
    meaning: 'The user has the maximum number of API keys.',
    remedy: 'Revoke an unused one: see `lastUsedAt`.',
  },
  'last-admin': {
    status: 409,
    title: 'Last administrator',
    meaning: 'No active administrator would be left to assign roles.',
    remedy: 'Make another active user an administrator first.',
  },
  'too-many-logins': {
    status: 429,
    title: 'Too many logins',
    meaning: 'Too many logins to this account, or from this address, have failed.',
    remedy: 'Wait for the seconds in Retry-After. A password reset is possible meanwhile.',
  },
  'password-hashing-busy': {
    status: 503,
    title: 'Too many logins at once',
    meaning:
      'Too many passwords are being checked at once. The limit keeps logins from slowing down other requests.',
    remedy: 'Send the request again after the seconds in Retry-After.',
  },
  'sessions-unavailable': {
    status: 503,
    title: 'Sessions unavailable',
    meaning:
      'The session store did not respond. Access tokens stay valid until they expire, but cannot be renewed now.',
    remedy:
      'Send the request again after the seconds in Retry-After; the refresh token is still valid.',
  },
} as const satisfies Record<string, ProblemType>;

export type AccessProblemSlug = keyof typeof accessProblemTypes;
