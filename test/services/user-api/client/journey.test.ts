import { expect, it } from 'vitest';
import { createClient } from '../../../../services/user-api/client/client.ts';
import { allUsers } from '../../../../services/user-api/client/users.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { newUser, startApiOnNewDatabase } from '../support/api.ts';

const password = 'a long walk along the river';

describeWithRedis('a person with the client', (redis) => {
  const options = () => ({
    redisUrl: redis().url,
    environment: { SESSION_REDIS_URL: redis().url },
  });

  it('registers, logs in, changes the profile, and leaves', async () => {
    const api = await startApiOnNewDatabase(options());
    try {
      const client = createClient({ baseUrl: api.url });
      const registration = { ...newUser(), password };
      const created = await client.createUser({
        body: registration,
        idempotencyKey: 'one-and-only',
      });
      const again = await client.createUser({ body: registration, idempotencyKey: 'one-and-only' });
      expect(again.body).toEqual(created.body);
      const parameters = { id: created.body.id };

      await client.logIn({ body: { email: registration.email, password } });
      const me = await client.getCurrentUser();
      expect(me.body.user).toMatchObject({ id: parameters.id, email: registration.email });

      const seen = await client.getUser({ parameters });
      const etag = seen.etag ?? '';
      const known = await client.getUser({ parameters, ifNoneMatch: etag });
      expect([known.status, known.body]).toEqual([304, null]);
      const body = { name: 'Ada King' };
      const changed = await client.updateUser({ parameters, body, ifMatch: etag });
      expect(changed.body).toMatchObject({ name: 'Ada King', version: 2 });
      const overwriting = client.updateUser({ parameters, body, ifMatch: etag });
      await expect(overwriting).rejects.toMatchObject({
        slug: 'precondition-failed',
        details: { currentVersion: 2 },
      });

      const refreshToken = client.tokens?.refreshToken ?? '';
      await client.refreshTokens({ body: { refreshToken } });
      expect(client.tokens?.refreshToken).not.toBe(refreshToken);

      const exported = await client.exportUser({ parameters });
      expect(JSON.stringify(exported.body)).toContain(registration.email);

      await client.deleteUser({ parameters });
      await expect(
        createClient({ baseUrl: api.url }).getUser({ parameters }),
      ).rejects.toMatchObject({ slug: 'user-not-found' });
      const login = client.logIn({ body: { email: registration.email, password } });
      await expect(login).rejects.toMatchObject({ slug: 'invalid-credentials' });
    } finally {
      await api.stop();
    }
  });

  it('whose access token has ended, goes on with a new one', async () => {
    const api = await startApiOnNewDatabase(options());
    try {
      const registration = { ...newUser(), password };
      const client = createClient({ baseUrl: api.url });
      const { body } = await client.createUser({ body: registration });
      await client.logIn({ body: { email: registration.email, password } });
      const late = createClient({
        baseUrl: api.url,
        tokens: {
          accessToken: 'an.ended.one',
          tokenType: 'Bearer',
          expiresInSeconds: 1,
          refreshToken: client.tokens?.refreshToken ?? '',
        },
      });
      expect((await late.getCurrentUser()).body.user.id).toBe(body.id);
    } finally {
      await api.stop();
    }
  });

  it('by an API key, reads every page of a list', async () => {
    const api = await startApiOnNewDatabase(options());
    try {
      const registration = { ...newUser(), password };
      const person = createClient({ baseUrl: api.url });
      const { body } = await person.createUser({ body: registration });
      await person.logIn({ body: { email: registration.email, password } });
      for (let made = 0; made < 4; made += 1) await person.createUser({ body: newUser() });
      const key = await person.createApiKey({
        parameters: { id: body.id },
        body: { name: 'reader', scopes: ['users:read-private'] },
      });
      const program = createClient({ baseUrl: api.url, apiKey: key.body.key });
      expect((await program.getCurrentUser()).body.credential).toBe('api-key');
      // Lists come from a reader, which has the last of them a moment later.
      await eventually(async () => {
        const ids: number[] = [];
        for await (const { id } of allUsers(program, { limit: 2 })) ids.push(id);
        expect(new Set(ids).size).toBe(5);
        expect(ids).toHaveLength(5);
      });
    } finally {
      await api.stop();
    }
  });
});
