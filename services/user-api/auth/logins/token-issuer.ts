import { randomBytes } from 'node:crypto';
import type { Role, Tokens } from '../../../contracts/authentication.ts';
import { AccessError } from '../errors.ts';
import { formatRefreshToken } from '../sessions/refresh-token.ts';
import type { OpenSession, SessionStore } from '../sessions/session-store.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { ACCESS_TOKEN_LIFETIME_SECONDS } from '../tokens/lifetime.ts';

export interface TokenHolder {
  readonly userId: number;
  readonly role: Role;
  readonly generation: number;
}

const SESSION_ID_BYTES = 16;

export class TokenIssuer {
  readonly #sessions: SessionStore;
  readonly #accessTokens: AccessTokens;

  constructor(sessions: SessionStore, accessTokens: AccessTokens) {
    this.#sessions = sessions;
    this.#accessTokens = accessTokens;
  }

  /** Begins a session. While sessions cannot be stored there is an access token only, so that logins still work. */
  async begin(holder: TokenHolder): Promise<Tokens> {
    try {
      return await this.next(holder, await this.#sessions.open(holder.userId, holder.generation));
    } catch (error) {
      if (!(error instanceof AccessError && error.slug === 'sessions-unavailable')) throw error;
      const sessionId = randomBytes(SESSION_ID_BYTES).toString('base64url');
      return await this.#accessToken(holder, { sessionId, beganAt: Date.now() });
    }
  }

  async next(holder: TokenHolder, session: OpenSession): Promise<Tokens> {
    return {
      ...(await this.#accessToken(holder, session)),
      refreshToken: formatRefreshToken(session.token),
      refreshExpiresInSeconds: session.expiresInSeconds,
    };
  }

  async #accessToken(
    { userId, role, generation }: TokenHolder,
    { sessionId, beganAt: authenticatedAt }: Pick<OpenSession, 'sessionId' | 'beganAt'>,
  ) {
    return {
      accessToken: await this.#accessTokens.issue({
        userId,
        role,
        generation,
        sessionId,
        authenticatedAt,
      }),
      tokenType: 'Bearer' as const,
      expiresInSeconds: ACCESS_TOKEN_LIFETIME_SECONDS,
    };
  }
}
