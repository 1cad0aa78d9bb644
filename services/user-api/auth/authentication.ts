import type { PasswordResetRequested } from '../../contracts/events.ts';
import type { User } from '../../contracts/users.ts';
import type { DatabaseRouter } from '../database/router.ts';
import type { JsonBodyReader } from '../http/body.ts';
import type { Logger } from '../observability/logger.ts';
import type { FailureLimiter } from '../rate-limit/failure-limiter.ts';
import type { RedisClient } from '../redis/redis.ts';
import { AccountRepository } from './accounts/account-repository.ts';
import { RoleChanges } from './accounts/role-changes.ts';
import { ApiKeyRepository } from './api-keys/api-key-repository.ts';
import { ApiKeyUses } from './api-keys/api-key-uses.ts';
import { ApiKeyVerifier } from './api-keys/api-key-verifier.ts';
import { ApiKeys } from './api-keys/api-keys.ts';
import { createApiKeyOperations } from './api-keys/handlers.ts';
import { Authenticator } from './authenticator.ts';
import type { ProtectedOperation } from './authorization.ts';
import { createAuthOperations } from './handlers.ts';
import type { LoginThrottle } from './logins/login-throttle.ts';
import { Logins } from './logins/logins.ts';
import { TokenIssuer } from './logins/token-issuer.ts';
import { AuthenticationMaintenance } from './maintenance.ts';
import { PasswordResetRepository } from './password-resets/password-reset-repository.ts';
import { PasswordHasher, type PasswordHasherOptions } from './passwords/password-hasher.ts';
import { Passwords } from './passwords/passwords.ts';
import { RevocationFeed } from './revocations/revocation-feed.ts';
import { RevocationLog } from './revocations/revocation-log.ts';
import { SessionRevoker } from './sessions/session-revoker.ts';
import { SessionStore } from './sessions/session-store.ts';
import { AccessTokens } from './tokens/access-tokens.ts';
import { deriveSigningKeySet } from './tokens/derived-signing-keys.ts';
import { KeyRing } from './tokens/key-ring.ts';
import { parseSigningKeySet } from './tokens/signing-keys.ts';

export interface AuthenticationSettings {
  readonly SERVICE_SECRET: string;
  /** @default one key, derived from SERVICE_SECRET */
  readonly ACCESS_TOKEN_KEYS?: string | undefined;
  readonly ACCESS_TOKEN_ISSUER: string;
  readonly ACCESS_TOKEN_AUDIENCE: string;
  readonly PASSWORD_HASH_CONCURRENCY?: number | undefined;
}

export interface AuthenticationParts {
  readonly settings: AuthenticationSettings;
  readonly router: DatabaseRouter;
  /** Must give commands a timeout and refuse them while not connected; null where there is no Redis. */
  readonly redis: RedisClient | null;
  /** Where sessions are kept, with the same manners. @default redis */
  readonly sessionRedis?: RedisClient | null;
  readonly throttle: LoginThrottle;
  /** Limits by address how many API keys that do not exist are looked up. */
  readonly unknownApiKeys: Pick<FailureLimiter, 'attempt'>;
  /** Sends an event that is in the outbox, in the background; it must not throw. */
  readonly dispatch: (event: PasswordResetRequested) => void;
  readonly findUser: (userId: number) => Promise<User | null>;
  readonly logger: Logger;
}

/** Durations and costs that only tests change. */
export interface AuthenticationOptions {
  readonly passwords?: Pick<PasswordHasherOptions, 'cost' | 'maximumWaiting'>;
  readonly revocationPollSeconds?: number;
  readonly apiKeyUseWriteMilliseconds?: number;
}

export interface Authentication {
  /** Authenticates requests; for `protect`, and for limits by user before it. */
  readonly authenticator: Authenticator;
  readonly sessionRevoker: SessionRevoker;
  readonly passwords: Passwords;
  readonly hasher: PasswordHasher;
  readonly sessions: SessionStore;
  /** The operations to mount, through `protect`. */
  operations(readBody: JsonBodyReader): ProtectedOperation[];
  /** Learns what has been revoked, and begins what is done now and then. Await it before the first request is taken. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Builds it. Opens no connection by itself before `start`.
 *
 * @throws `UnusableSigningKeys`
 */
export async function createAuthentication(
  parts: AuthenticationParts,
  options: AuthenticationOptions = {},
): Promise<Authentication> {
  const { dispatch, findUser, logger, redis, router, settings, throttle } = parts;
  const keys = await KeyRing.open(
    settings.ACCESS_TOKEN_KEYS === undefined
      ? deriveSigningKeySet(settings.SERVICE_SECRET)
      : parseSigningKeySet(settings.ACCESS_TOKEN_KEYS),
  );
  const accessTokens = new AccessTokens({
    keys,
    issuer: settings.ACCESS_TOKEN_ISSUER,
    audience: settings.ACCESS_TOKEN_AUDIENCE,
  });
  const hasher = new PasswordHasher({
    ...options.passwords,
    concurrency: settings.PASSWORD_HASH_CONCURRENCY,
  });
  const log = new RevocationLog(router);
  const feed = new RevocationFeed({
    log,
    redis,
    logger,
    pollIntervalSeconds: options.revocationPollSeconds,
  });
  const accounts = new AccountRepository(router);
  const sessions = new SessionStore(parts.sessionRedis ?? redis);
  const sessionRevoker = new SessionRevoker({ accounts, sessions, log, feed, logger });
  const issuer = new TokenIssuer(sessions, accessTokens);
  const resets = new PasswordResetRepository(router);
  const passwords = new Passwords({
    accounts,
    resets,
    hasher,
    sessionRevoker,
    issuer,
    throttle,
    dispatch,
    logger,
  });
  const logins = new Logins({
    accounts,
    hasher,
    sessions,
    sessionRevoker,
    issuer,
    throttle,
    logger,
  });
  const keyRepository = new ApiKeyRepository(router);
  const uses = new ApiKeyUses(keyRepository, logger, {
    writeIntervalMilliseconds: options.apiKeyUseWriteMilliseconds,
  });
  const { revocations } = feed;
  const apiKeyVerifier = new ApiKeyVerifier({
    repository: keyRepository,
    revocations,
    uses,
    unknownKeys: parts.unknownApiKeys,
  });
  const apiKeys = new ApiKeys({ repository: keyRepository, feed, logger });
  const roles = new RoleChanges(accounts, sessionRevoker, logger);
  const maintenance = new AuthenticationMaintenance(router, logger);
  return {
    authenticator: new Authenticator({ accessTokens, apiKeys: apiKeyVerifier, revocations }),
    sessionRevoker,
    passwords,
    hasher,
    sessions,
    operations: (readBody) => [
      ...createAuthOperations(
        { logins, passwords, roles, sessionRevoker, keys, findUser },
        readBody,
      ),
      ...createApiKeyOperations(apiKeys, readBody),
    ],
    async start() {
      uses.start();
      maintenance.start();
      await feed.start();
    },
    async close() {
      feed.close();
      maintenance.close();
      await uses.close();
    },
  };
}
