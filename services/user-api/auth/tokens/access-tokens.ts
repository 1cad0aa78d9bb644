import { randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { type Role, roles } from '../../../contracts/authentication.ts';
import type { KeyRing } from './key-ring.ts';
import { ACCESS_TOKEN_LIFETIME_SECONDS, CLOCK_TOLERANCE_SECONDS } from './lifetime.ts';
import { SIGNING_ALGORITHM } from './signing-keys.ts';

/** Media type of access tokens (RFC 9068, 2.1), unlike any other JWT that these keys might sign. */
const TOKEN_TYPE = 'at+jwt';
/** A token has about 500 characters; longer ones are not parsed. */
const TOKEN_MAXIMUM_LENGTH = 2_048;

export interface AccessTokenSubject {
  readonly userId: number;
  readonly role: Role;
  readonly sessionId: string;
  /** The account's generation when the token was made. */
  readonly generation: number;
  /** Time of the login, in milliseconds since 1970, in whole seconds; renewals keep it. */
  readonly authenticatedAt: number;
}

export interface VerifiedToken extends AccessTokenSubject {
  /** Unique for each token. */
  readonly tokenId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface AccessTokensOptions {
  readonly keys: KeyRing;
  /** `iss`: the URL of this API, the same for all its processes. */
  readonly issuer: string;
  /** `aud`: tokens of another stage must not be valid here. */
  readonly audience: string;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

export type TokenRefusal = 'expired' | 'invalid';

const claims = z.object({
  sub: z.string().regex(/^[1-9]\d{0,15}$/),
  role: z.enum(roles),
  sid: z.string().regex(/^[\w-]{1,64}$/),
  generation: z.int().nonnegative(),
  jti: z.uuid(),
  exp: z.int(),
  /** RFC 9068, 2.2.1. */
  auth_time: z.int().nonnegative(),
});

/** Signs and verifies access tokens: JWTs by RFC 9068 without `client_id`, as clients are not registered. */
export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #now: () => number;

  constructor(options: AccessTokensOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async issue(subject: AccessTokenSubject): Promise<string> {
    const { issuer, audience, keys } = this.#options;
    const now = this.#now();
    const { kid, privateKey } = keys.signer(now);
    const issuedAt = Math.floor(now / 1_000);
    return await new SignJWT({
      role: subject.role,
      sid: subject.sessionId,
      generation: subject.generation,
      auth_time: Math.floor(subject.authenticatedAt / 1_000),
    })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: TOKEN_TYPE, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(String(subject.userId))
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ACCESS_TOKEN_LIFETIME_SECONDS)
      .sign(privateKey);
  }

  /**
   * Verifies signature, algorithm, type, issuer, audience and time. Only keys of the ring verify, found by name: a key, URL or certificate in
   * the
   * token's header is ignored.
   */
  async verify(token: string): Promise<VerifiedToken | TokenRefusal> {
    if (token.length > TOKEN_MAXIMUM_LENGTH) return 'invalid';
    const { issuer, audience, keys } = this.#options;
    const now = this.#now();
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = kid === undefined ? undefined : keys.verifier(kid, now);
          if (key === undefined) throw new errors.JWKSNoMatchingKey();
          return key;
        },
        {
          algorithms: [SIGNING_ALGORITHM],
          typ: TOKEN_TYPE,
          issuer,
          audience,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(now),
          requiredClaims: ['iat', 'exp', 'sub', 'jti'],
        },
      );
      return this.#read(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof errors.JOSEError) return 'invalid';
      throw error;
    }
  }

  #read(payload: unknown): VerifiedToken | TokenRefusal {
    const parsed = claims.safeParse(payload);
    if (!parsed.success) return 'invalid';
    const { sub, role, sid, generation, jti, exp, auth_time: authenticatedAt } = parsed.data;
    const userId = Number(sub);
    if (!Number.isSafeInteger(userId)) return 'invalid';
    return {
      userId,
      role,
      sessionId: sid,
      generation,
      authenticatedAt: authenticatedAt * 1_000,
      tokenId: jti,
      expiresAt: exp * 1_000,
    };
  }
}
