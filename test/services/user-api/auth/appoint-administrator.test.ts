import { expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import {
  createPasswordResetToken,
  hashPasswordResetToken,
} from '../../../../services/contracts/password-reset-token.ts';
import {
  appointAdministrator,
  NobodyToAppoint,
} from '../../../../services/user-api/auth/accounts/appoint-administrator.ts';
import { createMigratedDatabase } from '../../../support/database.ts';
import { untilTrue } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { connect, createPerson, logIn, startAuthApi } from './support/auth-api.ts';

describeWithRedis('appointAdministrator', (redis) => {
  it('makes an administrator of who has the mailbox, not of who has registered its address', async () => {
    await using stack = new AsyncDisposableStack();
    const database = await createMigratedDatabase();
    stack.defer(() => database.drop());
    const sql = connect(database);
    stack.defer(() => sql.end());
    const api = await startAuthApi({
      database,
      redisUrl: redis().url,
      options: { revocationPollSeconds: 0.2 },
    });
    stack.defer(() => api.stop());
    const person = await createPerson(api, sql);
    const squatter = await logIn(api, person);
    const { key } = (
      await api.call<CreatedApiKey>('POST', `/api/v1/users/${person.id}/api-keys`, {
        token: squatter.accessToken,
        body: { name: 'left behind', scopes: ['users:write'] },
      })
    ).body;
    const status = async (credentials: object) =>
      (await api.call('GET', '/api/v1/auth/me', credentials)).status;
    expect(await status({ apiKey: key })).toBe(200);

    const userId = await appointAdministrator(database.writerUrl, person.email.toUpperCase());

    expect(userId).toBe(person.id);
    await untilTrue(async () => (await status({ token: squatter.accessToken })) === 401);
    await untilTrue(async () => (await status({ apiKey: key })) === 401);
    expect((await api.login(person.email)).status).toBe(401);
    const refresh = { body: { refreshToken: squatter.refreshToken } };
    expect((await api.call('POST', '/api/v1/auth/refresh', refresh)).status).toBe(401);

    const [event] = await sql`select data from outbox where type = 'user.password-reset-requested'`;
    const token = createPasswordResetToken();
    await sql`
      update password_resets
      set token_hash = ${hashPasswordResetToken(token)}, expires_at = now() + interval '1 minute'
      where id = ${event?.data.passwordResetId}
    `;
    const newPassword = 'the password of the owner';
    await api.call('POST', '/api/v1/auth/password-resets/confirm', {
      body: { token, newPassword },
    });
    const owner = await api.call<{ role: string }>('GET', '/api/v1/auth/me', {
      token: (await logIn(api, person, newPassword)).accessToken,
    });
    expect(owner.body.role).toBe('admin');
  });

  it('appoints nobody where nobody active has the address', async () => {
    await using stack = new AsyncDisposableStack();
    const database = await createMigratedDatabase();
    stack.defer(() => database.drop());
    const sql = connect(database);
    stack.defer(() => sql.end());
    await sql`insert into users (name, email, status) values ('S', 's@example.com', 'suspended')`;

    for (const email of ['nobody@example.com', 's@example.com']) {
      const appointed = appointAdministrator(database.writerUrl, email);
      await expect(appointed).rejects.toBeInstanceOf(NobodyToAppoint);
      await expect(appointed).rejects.toThrow(
        'No active user has this email address. Create the user first.',
      );
    }
    expect(await sql`select from accounts`).toHaveLength(0);
    expect(await sql`select from outbox`).toHaveLength(0);
  });
});
