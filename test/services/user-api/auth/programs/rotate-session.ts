import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import {
  formatRefreshToken,
  parseRefreshToken,
} from '../../../../../services/user-api/auth/sessions/refresh-token.ts';
import { SessionStore } from '../../../../../services/user-api/auth/sessions/session-store.ts';

/** What came of each rotation: the next token's text, or why there is none. */
export interface RotateSessionMessage {
  readonly outcomes: readonly string[];
}

/**
 * A process that rotates one refresh token several times at once: `rotate-session.ts <redis URL> <token> <times> <start>`, with the
 * start in milliseconds since 1970, so that several processes begin together.
 */
const [, , redisUrl = '', text = '', times = '1', start = '0'] = process.argv;
const redis = new Redis(redisUrl);
const store = new SessionStore(redis);
const token = parseRefreshToken(text);
if (token === null) throw new Error('Not a refresh token');
await redis.ping();
await wait(Math.max(0, Number(start) - Date.now()));
const rotations = await Promise.all(
  Array.from({ length: Number(times) }, () => store.rotate(token, 0)),
);
const message: RotateSessionMessage = {
  outcomes: rotations.map((rotation) =>
    typeof rotation === 'string' ? rotation : formatRefreshToken(rotation.token),
  ),
};
process.send?.(message);
redis.disconnect();
process.disconnect?.();
