import { createHmac, createSecretKey } from 'node:crypto';
import type { RateLimitPolicy } from './policy.ts';

/**
 * Who sent a request, as far as it has been **proved**: an API key or user id belongs here only after the key or token was verified. Counting by
 * what a client merely claims would give it a fresh limit with each invented key.
 */
export interface ClientIdentity {
  /** Id of the verified API key, not the key itself. */
  readonly apiKeyId?: string | number | undefined;
  readonly userId?: number | undefined;
  /** As `client-address/` gives it: an IPv4 address, or the /64 network of an IPv6 one. */
  readonly address: string;
}

/** Names who sends a request, as specifically as is proved: the API key, else the user, else the address. */
export function callerKey(identity: ClientIdentity): string {
  const { address, apiKeyId, userId } = identity;
  if (apiKeyId !== undefined) return `api-key:${apiKeyId}`;
  return userId === undefined ? addressKey(address) : userKey(userId);
}

export const addressKey = (address: string): string => `address:${address}`;
export const userKey = (userId: number): string => `user:${userId}`;

/** Makes the name that a key has in Redis. */
export type RedisKeyFormat = (space: string, key: string) => string;

/** 128 of the 256 bits: two keys that fall together are not to be expected before 2^64 keys. */
const DIGEST_CHARACTERS = 22;

/**
 * Names in Redis hold a digest, so that no address, email or key id can be read there, nor in its slow log or backups. With a `secret` they
 * cannot be found by trying all addresses either (HMAC-SHA-256); all processes must have the same one. The braces make the
 * digest the hash tag that a Redis Cluster places the key by.
 *
 * @param secret @default none: a plain digest, which hides keys from the eye but not from who tries all addresses
 */
export function redisKeyFormat(secret = ''): RedisKeyFormat {
  // Once: a key made of text for each digest takes several times as long as the digest.
  const hmacKey = createSecretKey(secret, 'utf8');
  return (space, key) => {
    const digest = createHmac('sha256', hmacKey).update(key).digest('base64url');
    return `rate-limit:${space}:{${digest.slice(0, DIGEST_CHARACTERS)}}`;
  };
}

/**
 * Where in Redis the state of `policy` lives. It names the algorithm and the window, as a state of another kind or unit
 * could not be read after a deployment that changed them.
 */
export function spaceOf(policy: RateLimitPolicy): string {
  return `${policy.name}:${policy.algorithm}:${policy.windowSeconds}`;
}
