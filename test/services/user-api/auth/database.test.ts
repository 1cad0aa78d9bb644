import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { expect, inject, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import { hashPasswordResetToken } from '../../../../services/contracts/password-reset-token.ts';
import { AuthenticationMaintenance } from '../../../../services/user-api/auth/maintenance.ts';
import { API_ROLE } from '../../../../services/user-api/database/roles.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createMigratedDatabase } from '../../../support/database.ts';
import { untilTrue } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  type AuthApi,
  connect,
  createPerson,
  logIn,
  PASSWORD,
  startAuthApi,
} from './support/auth-api.ts';
import { erasePerson } from './support/erase-person.ts';

const ROWS = 20_000;

describeWithRedis('the statements of logins and API keys', (redis) => {
  it("need no more than the rights of the API's role, and read no table from end to end", async () => {
    await using stack = new AsyncDisposableStack();
    const database = await createMigratedDatabase();
    stack.defer(() => database.drop());
    const sql = connect(database);
    stack.defer(() => sql.end());
    const api = await startAuthApi({
      database: { ...database, writerUrl: await logInAs(API_ROLE, database.writerUrl, stack) },
      redisUrl: redis().url,
      options: { apiKeyUseWriteMilliseconds: 50 },
    });
    // So many rows that reading all of them is never the cheapest way.
    await sql`
      with made as (
        insert into users (name, email) select 'Filler', 'filler.' || n || '@example.com'
        from generate_series(1, ${ROWS}) as n returning id
      ), filled as (
        insert into accounts (user_id) select id from made
      ), keys as (
        insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at)
        select id, 'filler', 'hrk_x', id::text, '{}', now() + interval '1 day' from made
      ), resets as (
        insert into password_resets (id, user_id, token_hash, requested_at)
        select gen_random_uuid(), id, id::text, now() - interval '1 day' from made
      ), changes as (
        insert into email_changes (id, user_id, former_email)
        select gen_random_uuid(), id, 'former@example.com' from made
      )
      insert into revocations (kind, subject, created_at)
      select 'session', id::text, now() - interval '1 day' from made
    `;
    await sql`vacuum analyze`;
    const before = await scans();

    await useEverything(api);
    // A connection tells what it has read when it ends.
    await api.stop();

    expect(await scans()).toEqual(before);

    async function scans() {
      return await sql`
        select relname, seq_scan::int from pg_stat_user_tables
        where relname in ('users', 'accounts', 'api_keys', 'password_resets', 'email_changes', 'revocations')
        order by relname
      `;
    }

    async function useEverything(on: AuthApi): Promise<void> {
      const person = await createPerson(on, sql);
      const admin = await createPerson(on, sql, { role: 'admin' });
      const adminToken = (await logIn(on, admin)).accessToken;
      const { accessToken: token, refreshToken } = await logIn(on, person);
      const call = async <Body>(
        status: number,
        method: string,
        path: string,
        options: Parameters<AuthApi['call']>[2],
      ) => {
        const response = await on.call<Body>(method, path, options);
        expect(response.status, `${method} ${path}: ${response.text}`).toBe(status);
        return response.body;
      };
      const own = `/api/v1/users/${person.id}`;

      const key = await call<CreatedApiKey>(201, 'POST', `${own}/api-keys`, {
        token,
        body: { name: 'one', scopes: ['users:write'] },
      });
      await call(200, 'GET', '/api/v1/auth/me', { apiKey: key.key });
      await untilTrue(async () => {
        const [row] = await sql`select last_used_at from api_keys where id = ${key.id}`;
        return row?.last_used_at !== null;
      });
      await call(200, 'GET', `${own}/api-keys`, { token });
      await call(204, 'DELETE', `${own}/api-keys/${key.id}`, { token });
      const next = await call<Tokens>(200, 'POST', '/api/v1/auth/refresh', {
        body: { refreshToken },
      });
      await call(204, 'POST', '/api/v1/auth/logout', { body: { refreshToken: next.refreshToken } });
      const again = await logIn(on, person);
      await call(200, 'PUT', '/api/v1/auth/password', {
        token: again.accessToken,
        body: { currentPassword: PASSWORD, newPassword: 'a password of another kind' },
      });
      await call(202, 'POST', '/api/v1/auth/password-resets', { body: { email: person.email } });
      const passwordResetId = on.dispatched[0]?.data.passwordResetId ?? '';
      await sql`
        update password_resets
        set token_hash = ${hashPasswordResetToken('the secret')}, expires_at = now() + interval '1 minute'
        where id = ${passwordResetId}
      `;
      await call(204, 'POST', '/api/v1/auth/password-resets/confirm', {
        body: { token: 'the secret', newPassword: PASSWORD },
      });
      await call(200, 'PUT', `${own}/role`, { token: adminToken, body: { role: 'admin' } });
      await call(204, 'DELETE', `${own}/sessions`, { token: adminToken });
      await erasePerson(on, person);
      const logger = createLogger({ LOG_LEVEL: 'warn', STAGE: 'test' }, { write: fail });
      await new AuthenticationMaintenance(on.router, logger).run();
    }
  });
});

function fail(line: string): never {
  throw new Error(line);
}

/** The URL of `databaseUrl` for somebody who has the rights of `role` and no others. */
async function logInAs(
  role: string,
  databaseUrl: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  const login = `login_${randomUUID().slice(0, 8)}`;
  const administratorUrl = new URL(inject('system').postgres.primary.administratorUrl);
  administratorUrl.pathname = new URL(databaseUrl).pathname;
  const administrator = postgres(administratorUrl.href, { max: 1, onnotice: () => {} });
  await administrator.unsafe(`create role ${login} login password 'secret' in role ${role}`);
  stack.defer(async () => {
    await administrator.unsafe(`drop role ${login}`);
    await administrator.end();
  });
  const url = new URL(databaseUrl);
  url.username = login;
  url.password = 'secret';
  return url.href;
}
