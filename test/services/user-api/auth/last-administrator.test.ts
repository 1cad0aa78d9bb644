import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import { appointAdministrator } from '../../../../services/user-api/auth/accounts/appoint-administrator.ts';
import { eventually } from '../../../support/eventually.ts';
import { authorization, createUser, startApiOnNewDatabase } from '../support/api.ts';

/** The lock that whatever takes an administrator away waits for. */
const ADMINISTRATOR_LOCK = 7_265_001;

describe('the last active administrator', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({ readers: false });
    sql = postgres(api.database.writerUrl, { max: 3, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });
  beforeEach(async () => {
    await sql.begin(async (transaction) => {
      await transaction`alter table accounts disable trigger user`;
      await transaction`update accounts set role = 'user'`;
      await transaction`alter table accounts enable trigger user`;
    });
  });

  async function createAdministrator(fields = {}): Promise<User> {
    const user = await createUser(api, fields);
    await sql`
      insert into accounts (user_id, role) values (${user.id}, 'admin')
      on conflict (user_id) do update set role = 'admin'`;
    return user;
  }

  const activeAdministrators = async () =>
    (
      await sql<{ id: number }[]>`
        select users.id::int as id from users join accounts on accounts.user_id = users.id
        where users.status = 'active' and accounts.role = 'admin'`
    ).map(({ id }) => id);

  const removals = {
    suspended: { method: 'PATCH', path: '', body: { status: 'suspended' } },
    'made inactive': { method: 'PATCH', path: '', body: { status: 'inactive' } },
    replaced: { method: 'PUT', path: '', body: { status: 'suspended', name: 'X' } },
    deleted: { method: 'DELETE', path: '', body: undefined },
    demoted: { method: 'PUT', path: '/role', body: { role: 'user' } },
  } as const;
  type Removal = keyof typeof removals;
  const names = Object.keys(removals) as Removal[];

  /** By the user, or by an administrator of another system whose tokens are valid here. */
  async function remove(user: User, removal: Removal, by: 'self' | 'another' = 'another') {
    const { method, path, body } = removals[removal];
    return await api.call<{ type: string }>(method, `/api/v1/users/${user.id}${path}`, {
      headers: {
        authorization: await authorization(by === 'self' ? user.id : 'admin', 'admin'),
      },
      ...(body === undefined
        ? {}
        : { body: removal === 'replaced' ? { email: user.email, ...body } : body }),
    });
  }

  it.each(names.flatMap((removal) => [[removal, 'self'] as const, [removal, 'another'] as const]))(
    'is not %s by %s, and nothing else of the request is done',
    async (removal, by) => {
      const last = await createAdministrator();
      await createAdministrator({ status: 'suspended' });

      const refused = await remove(last, removal, by);

      expect([refused.status, refused.body.type]).toEqual([409, '/problems/last-admin']);
      expect(await activeAdministrators()).toEqual([last.id]);
      const kept = await api.call<User>('GET', `/api/v1/users/${last.id}`, { as: last.id });
      expect(kept.body).toEqual(last);
    },
  );

  it.each(names)('may be %s once there is another one', async (removal) => {
    const [first, second] = [await createAdministrator(), await createAdministrator()];

    expect((await remove(first, removal)).status).toBeLessThan(300);

    expect(await activeAdministrators()).toEqual([second.id]);
  });

  it('keeps nobody else: other users, and administrators who are not active, go as before', async () => {
    const last = await createAdministrator();
    const gone = [
      await createUser(api),
      await createAdministrator({ status: 'suspended' }),
      await createAdministrator({ status: 'inactive' }),
    ];

    for (const user of gone) expect((await remove(user, 'suspended')).status).toBe(200);
    for (const user of gone) expect((await remove(user, 'demoted')).status).toBe(200);
    for (const user of gone) expect((await remove(user, 'deleted')).status).toBe(204);

    expect(await activeAdministrators()).toEqual([last.id]);
  });

  /** Waits until so many statements wait for a lock. */
  const waiting = (count: number) =>
    eventually(async () => {
      const [row] = await sql`
        select count(*)::int as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return row?.count === count;
    });

  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));
  it.each(pairs)('is one of two of whom one is %s while the other is %s', async (first, second) => {
    const [one, other] = [await createAdministrator(), await createAdministrator()];
    let removed: Promise<Awaited<ReturnType<typeof remove>>[]> | undefined;
    await sql.begin(async (transaction) => {
      await transaction`select pg_advisory_xact_lock(${ADMINISTRATOR_LOCK})`;
      removed = Promise.all([remove(one, first), remove(other, second)]);
      // Both statements have begun, so each sees the other's administrator.
      await waiting(2);
    });

    const statuses = ((await removed) ?? []).map(({ status }) => status).sort();

    expect(statuses).toEqual([expect.toSatisfy((status) => status < 300), 409]);
    expect(await activeAdministrators()).toHaveLength(1);
  });

  it.each(['suspended', 'deleted'] as const)(
    'is not somebody who is %s while being made an administrator',
    async (removal) => {
      const last = await createAdministrator();
      const next = await createUser(api);
      const both: Promise<{ readonly status: number }>[] = [];
      await sql.begin(async (transaction) => {
        await transaction`select from users where id = ${next.id} for no key update`;
        both.push(remove(next, removal));
        await waiting(1);
        both.push(
          api.call('PUT', `/api/v1/users/${next.id}/role`, {
            as: 'admin',
            body: { role: 'admin' },
          }),
        );
        await waiting(2);
      });
      await Promise.all(both);

      expect((await remove(last, 'demoted')).status).toBe(409);
      expect(await activeAdministrators()).toEqual([last.id]);
    },
  );

  it('is kept against SQL that is typed by hand, too', async () => {
    const administrators = [await createAdministrator(), await createAdministrator()];

    const refusal = { code: '23514', constraint_name: 'active_administrator' };
    await expect(sql`update accounts set role = 'user'`).rejects.toMatchObject(refusal);
    await expect(sql`update users set status = 'inactive'`).rejects.toMatchObject(refusal);
    await expect(sql`delete from accounts`).rejects.toMatchObject(refusal);
    await expect(sql`delete from users`).rejects.toMatchObject(refusal);

    expect(await activeAdministrators()).toHaveLength(administrators.length);
  });

  it('can be appointed by an operator while there is none', async () => {
    const user = await createUser(api);

    await appointAdministrator(api.database.writerUrl, user.email);

    expect(await activeAdministrators()).toEqual([user.id]);
    expect((await remove(user, 'deleted')).status).toBe(409);
  });
});
