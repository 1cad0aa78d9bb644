import { expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import { createSigningKeySet } from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import { createMigratedDatabase, waitForReplica } from '../../../support/database.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { system } from '../../../support/system.ts';
import { connect, createPerson, logIn, PASSWORD, startAuthApi } from './support/auth-api.ts';

/** Nobody listens on the port of discarding (RFC 863). */
const NOBODY = 'postgres://nobody:x@127.0.0.1:9/none';

describeWithRedis('while the writer is away', (redis) => {
  it('people come in and go on, and programs too; what changes something gets 503', async () => {
    await using stack = new AsyncDisposableStack();
    const database = await createMigratedDatabase();
    stack.defer(() => database.drop());
    const sql = connect(database);
    stack.defer(() => sql.end());
    const keys = JSON.stringify(await createSigningKeySet());
    const redisUrl = redis().url;
    const before = await startAuthApi({ database, redisUrl, keys });
    stack.defer(() => before.stop());
    const person = await createPerson(before, sql);
    const { accessToken, refreshToken } = await logIn(before, person);
    const key = await before.call<CreatedApiKey>('POST', `/api/v1/users/${person.id}/api-keys`, {
      token: accessToken,
      body: { name: 'one', scopes: [] },
    });
    await waitForReplica(system().postgres);

    const api = await startAuthApi({
      database: { writerUrl: NOBODY, readerUrl: database.readerUrl },
      readers: true,
      redisUrl,
      keys,
    });
    stack.defer(() => api.stop());
    const own = `/api/v1/users/${person.id}`;

    expect((await api.login(person.email)).status).toBe(200);
    const refreshed = await api.call<Tokens>('POST', '/api/v1/auth/refresh', {
      body: { refreshToken },
    });
    expect(refreshed.status).toBe(200);
    expect((await api.call('GET', '/api/v1/users', { token: accessToken })).status).toBe(204);
    expect((await api.call('GET', '/api/v1/users', { apiKey: key.body.key })).status).toBe(204);

    const token = accessToken;
    const changes = await Promise.all([
      api.call('PUT', '/api/v1/auth/password', {
        token,
        body: { currentPassword: PASSWORD, newPassword: 'a password of another kind' },
      }),
      api.call('POST', '/api/v1/auth/password-resets', { body: { email: person.email } }),
      api.call('POST', `${own}/api-keys`, { token, body: { name: 'two', scopes: [] } }),
      api.call('DELETE', `${own}/api-keys/${key.body.id}`, { token }),
      api.call('DELETE', `${own}/sessions`, { token }),
    ]);
    for (const { status, headers, body } of changes) {
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toMatch(/^\d$/);
      expect(body).toMatchObject({ type: '/problems/database-unavailable' });
    }

    // A logout ends the session in Redis; other processes are told, though it cannot be written down.
    const { refreshToken: last = '' } = refreshed.body;
    const logout = await api.call('POST', '/api/v1/auth/logout', { body: { refreshToken: last } });
    expect(logout.status).toBe(204);
    expect(
      (await before.call('POST', '/api/v1/auth/refresh', { body: { refreshToken: last } })).status,
    ).toBe(401);
    expect((await api.call('GET', '/api/v1/users', { token: accessToken })).status).toBe(401);
  });
});
