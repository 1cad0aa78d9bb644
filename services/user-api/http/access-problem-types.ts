import type { ProblemType } from './problem-type.ts';

/** The kinds of errors about who may do what; part of the one catalogue of the API. */
export const accessProblemTypes = {
  'credentials-required': {
    status: 401,
    title: 'Credentials required',
    meaning: 'This takes a login or an API key, and the request has neither.',
    remedy:
      'Log in and send the access token as `Authorization: Bearer …`, or an API key as `X-API-Key`.',
  },
  'invalid-credentials': {
    status: 401,
    title: 'Invalid credentials',
    meaning:
      'The email address or the password is wrong, or the account has no password. Which of them is not told.',
    remedy: 'Check both. A new password can be had by email: request a password reset.',
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
      'What is asked for gives lasting access, hands out personal data or destroys it, so it takes a login of the last 10 minutes. A renewed session does not count as one.',
    remedy: 'Ask for the password, log in, and send the request again with the new access token.',
  },
  'invalid-refresh-token': {
    status: 401,
    title: 'Invalid refresh token',
    meaning:
      'The session has ended, or the refresh token was used before. In the second case somebody may have copied it, and the session is ended for all who have it.',
    remedy: 'Log in again. Keep only the newest refresh token, and use each once.',
  },
  'invalid-api-key': {
    status: 401,
    title: 'Invalid API key',
    meaning: 'The API key is unknown, mistyped, expired or revoked, or its owner is not active.',
    remedy: 'Check that it was copied whole; otherwise create a new one.',
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
    meaning: 'The password that was given as the current one is not it.',
    remedy: 'Check it. Who has forgotten it can request a password reset.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'Whoever the credentials belong to may not do this.',
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
    meaning: 'The user has as many API keys as one may have.',
    remedy: 'Revoke one that is not in use; `lastUsedAt` tells.',
  },
  'last-admin': {
    status: 409,
    title: 'Last administrator',
    meaning: 'No active administrator would be left: nobody who could give anybody a role.',
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
      'More passwords are to be checked than the server checks at once, so that logins cannot slow down everything else.',
    remedy: 'Send the request again after the seconds in Retry-After.',
  },
  'sessions-unavailable': {
    status: 503,
    title: 'Sessions unavailable',
    meaning:
      'The store of sessions did not answer. Access tokens go on to be valid until they expire; they cannot be renewed now.',
    remedy:
      'Send the request again after the seconds in Retry-After; the refresh token is still good.',
  },
} as const satisfies Record<string, ProblemType>;

export type AccessProblemSlug = keyof typeof accessProblemTypes;
