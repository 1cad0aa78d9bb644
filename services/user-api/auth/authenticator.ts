import type { IncomingHttpHeaders } from 'node:http';
import type { ApiKeyVerifier } from './api-keys/api-key-verifier.ts';
import { AccessError } from './errors.ts';
import { ANONYMOUS, type Identity } from './identity.ts';
import { RECENT_LOGIN_SECONDS } from './permissions.ts';
import type { Revocations } from './revocations/revocations.ts';
import type { AccessTokens, VerifiedToken } from './tokens/access-tokens.ts';
import { VerifiedTokens } from './tokens/verified-tokens.ts';

/** RFC 9110, 11.1: the scheme is written in any case, and one blank or more follow. */
const BEARER = /^bearer +(.+)$/i;
const CHALLENGE = 'Bearer realm="headroom"';
/** RFC 6750, 3.1. */
const INVALID_TOKEN_CHALLENGE = `${CHALLENGE}, error="invalid_token"`;

export interface AuthenticatorParts {
  readonly accessTokens: AccessTokens;
  readonly apiKeys: ApiKeyVerifier;
  readonly revocations: Revocations;
  /** @default room for 10,000 */
  readonly verifiedTokens?: VerifiedTokens;
}

/**
 * Finds out who sends a request. No round trip for a token, ever; none for an API key that was seen in the last minute; and nothing
 * to wait for where either was seen before. A request without credentials costs two looks into its headers.
 */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #verified: VerifiedTokens;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    this.#verified = parts.verifiedTokens ?? new VerifiedTokens();
  }

  /**
   * @param address - the one that the request came from.
   * @returns the identity, at once where nothing has to be waited for.
   * @throws {@link AccessError} invalid-access-token, invalid-api-key, at once or later: bad credentials are refused even where none
   * are needed, because whoever sends them means them to count. `RateLimitExceeded` when too many API keys from that address did not exist;
   * `DatabaseUnavailable` for an API key that cannot be looked up.
   */
  authenticate(headers: IncomingHttpHeaders, address: string): Identity | Promise<Identity> {
    const { authorization } = headers;
    const apiKey = headers['x-api-key'];
    if (authorization === undefined) {
      return apiKey === undefined ? ANONYMOUS : this.#byApiKey(apiKey, address);
    }
    if (apiKey !== undefined) {
      throw refuseToken('Send an access token or an API key; the request has both.');
    }
    const verified = this.#verified.get(authorization, Date.now());
    return verified === undefined
      ? this.#byToken(authorization)
      : this.#unlessRevoked(authorization, verified);
  }

  async #byToken(authorization: string): Promise<Identity> {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) {
      throw refuseToken('The Authorization header does not have the form `Bearer <access token>`.');
    }
    const verified = await this.#parts.accessTokens.verify(token);
    if (verified === 'expired') throw refuseToken('The access token has expired.');
    if (verified === 'invalid') throw refuseToken('The access token was not made by this API.');
    const identity = this.#unlessRevoked(authorization, verified);
    this.#verified.add(authorization, verified);
    return identity;
  }

  #unlessRevoked(authorization: string, verified: VerifiedToken): Identity {
    const { revocations } = this.#parts;
    const { authenticatedAt, generation, role, sessionId, userId } = verified;
    if (
      revocations.isSessionRevoked(sessionId) ||
      generation < revocations.minimumGeneration(userId)
    ) {
      this.#verified.delete(authorization);
      throw refuseToken('The session of the access token has been ended.');
    }
    return { kind: 'user', userId, role, sessionId, authenticatedAt };
  }

  #byApiKey(header: string | string[], address: string): Identity | Promise<Identity> {
    if (typeof header !== 'string') throw refuseApiKey();
    const grant = this.#parts.apiKeys.verify(header, address);
    return grant instanceof Promise ? grant.then(identityOf) : identityOf(grant);
  }
}

function identityOf(grant: Awaited<ReturnType<ApiKeyVerifier['verify']>>): Identity {
  if (grant === null) throw refuseApiKey();
  const { apiKeyId, role, scopes, userId } = grant;
  return { kind: 'api-key', apiKeyId, userId, role, scopes };
}

function refuseToken(detail: string): AccessError {
  return new AccessError('invalid-access-token', detail, { challenge: INVALID_TOKEN_CHALLENGE });
}

function refuseApiKey(): AccessError {
  return new AccessError('invalid-api-key', 'The API key is not good, or not any more.', {
    challenge: CHALLENGE,
  });
}

/** For a login that is too old for the request (RFC 9470, step-up authentication). */
export function requireRecentLogin(): AccessError {
  return new AccessError(
    'login-too-old',
    `This takes a login of the last ${RECENT_LOGIN_SECONDS / 60} minutes; a renewed session does not count.`,
    {
      challenge: `${CHALLENGE}, error="insufficient_user_authentication", max_age="${RECENT_LOGIN_SECONDS}"`,
    },
  );
}

/** For a request without required credentials. */
export function requireCredentials(): AccessError {
  return new AccessError('credentials-required', 'This takes a login or an API key.', {
    challenge: CHALLENGE,
  });
}
