import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import {
  formatRefreshToken,
  parseRefreshToken,
  sessionIdOf,
} from '../../../../services/user-api/auth/sessions/refresh-token.ts';
import { SessionStore } from '../../../../services/user-api/auth/sessions/session-store.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import type { RotateSessionMessage } from './programs/rotate-session.ts';

describeWithRedis('SessionStore in several processes', (server) => {
  it('gives one next token, the same, to many clients at once', async () => {
    const redis = new Redis(server().url);
    onTestFinished(() => redis.disconnect());
    const store = new SessionStore(redis);
    const open = await store.open(1, 0);
    const text = formatRefreshToken(open.token);
    const program = fileURLToPath(new URL('./programs/rotate-session.ts', import.meta.url));
    const start = String(Date.now() + 2_000);
    const processes = [1, 2, 3].map(() =>
      startNodeProgram<RotateSessionMessage>(program, [server().url, text, '50', start]),
    );

    const messages = await Promise.all(processes.map((process) => process.next()));
    await Promise.all(processes.map((process) => process.end('SIGTERM')));
    const outcomes = messages.flatMap((message) => message.outcomes);

    expect(outcomes).toHaveLength(150);
    expect(new Set(outcomes).size).toBe(1);
    const successor = parseRefreshToken(outcomes[0] ?? '');
    expect(successor && sessionIdOf(successor)).toBe(open.sessionId);
    expect(successor && (await store.rotate(successor, 0))).toMatchObject({ token: {} });
  });
});
