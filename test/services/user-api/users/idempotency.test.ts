import { randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import { eventually } from '../../../support/eventually.ts';
import {
  type CallOptions,
  newUser,
  type ProblemDetails,
  startApiOnNewDatabase,
  startTestApi,
  type TestApi,
} from '../support/api.ts';

describe('POST with an Idempotency-Key', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({
      readers: false,
      environment: { TRUSTED_PROXY_HOPS: '1' },
    });
    sql = postgres(api.database.writerUrl, { max: 3, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });

  function create(key: string, body: unknown, options: CallOptions = {}, on: TestApi = api) {
    return on.call<User>('POST', '/api/v1/users', {
      ...options,
      headers: { 'idempotency-key': key, ...options.headers },
      body,
    });
  }

  async function count(where: { readonly email: string }): Promise<number> {
    const [row] = await sql`select count(*)::int as count from users where email = ${where.email}`;
    return row?.count;
  }

  it('sent again with the same body, gets the same response, byte for byte, and creates nothing', async () => {
    const [key, body] = [randomUUID(), newUser()];
    const first = await create(key, body);
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    await api.call('PATCH', `/api/v1/users/${first.body.id}`, { as: 'admin', body: { name: 'X' } });
    for (const again of [await create(key, body), await create(`"${key}"`, body)]) {
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      for (const name of ['location', 'etag', 'content-type']) {
        expect(again.headers.get(name)).toBe(first.headers.get(name));
      }
    }
    expect(await count(body)).toBe(1);
  });

  it('sent again to another process, or after a restart, gets the same response', async () => {
    const [key, body] = [randomUUID(), newUser()];
    const first = await create(key, body);
    const other = await startTestApi({
      database: api.database,
      environment: { TRUSTED_PROXY_HOPS: '1' },
    });
    const again = await create(key, body, {}, other);
    await other.stop();
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  it.each(['name', 'password'])('sent with another %s, is refused', async (field) => {
    const [key, body] = [randomUUID(), newUser({ password: 'first pass phrase here' })];
    await create(key, body);
    const response = await create(key, { ...body, [field]: 'another value of it' });
    expect(response.status).toBe(422);
    expect(response.text).toContain('/problems/idempotency-key-reused');
  });

  it('sent again while the first is in flight, is refused; and afterwards gets its response', async () => {
    const [key, body] = [randomUUID(), newUser()];
    const inserted = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    // Holds the address, uncommitted, so that the first request has to wait.
    const holding = sql
      .begin(async (transaction) => {
        await transaction`insert into users (name, email) values ('Holder', ${body.email})`;
        inserted.resolve();
        await release.promise;
        throw new Error('rolled back');
      })
      .catch(() => {});
    await inserted.promise;
    const first = create(key, body);
    await eventually(async () => {
      const waiting = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      expect(waiting).toHaveLength(1);
    });
    const second = await create(key, body);
    expect(second.status).toBe(409);
    expect(second.text).toContain('/problems/idempotency-key-in-use');
    expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
    release.resolve();
    await holding;
    const response = await first;
    expect(response.status).toBe(201);
    expect((await create(key, body)).text).toBe(response.text);
  });

  it('sent many times at once, creates one user, and all answers are that user or a conflict', async () => {
    const [key, body] = [randomUUID(), newUser()];
    const responses = await Promise.all(Array.from({ length: 12 }, () => create(key, body)));
    const created = responses.filter(({ status }) => status === 201);
    expect(created.length).toBeGreaterThan(0);
    expect(new Set(created.map(({ text }) => text)).size).toBe(1);
    for (const { status, text } of responses) {
      expect([201, 409]).toContain(status);
      if (status === 409) expect(text).toContain('/problems/idempotency-key-in-use');
    }
    expect(await count(body)).toBe(1);
  });

  it("is the caller's own: the same key of another address or user is another key", async () => {
    const key = randomUUID();
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const bodies = [newUser(), newUser(), newUser()];
    const responses = [
      await create(key, bodies[0], from('192.0.2.1')),
      await create(key, bodies[1], from('192.0.2.2')),
      await create(key, bodies[2], { as: 7 }),
    ];
    expect(responses.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect((await create(key, bodies[0], from('192.0.2.1'))).text).toBe(responses[0]?.text);
    expect((await create(key, bodies[0], from('192.0.2.2'))).status).toBe(422);
  });

  it('that failed, may succeed later: only a creation is remembered', async () => {
    const [key, body] = [randomUUID(), newUser()];
    const holder = await api.call<User>('POST', '/api/v1/users', { body });
    const taken = await create(key, body);
    expect(taken.text).toContain('/problems/email-taken');
    await api.call('DELETE', `/api/v1/users/${holder.body.id}`, { as: 'admin' });
    expect((await create(key, body)).status).toBe(201);
  });

  it('counts for 24 hours, and then is new', async () => {
    const [key, body] = [randomUUID(), newUser()];
    const first = await create(key, body);
    const age = (interval: string) => sql`
      update idempotency_keys set created_at = now() - ${interval}::text::interval
      where user_id = ${first.body.id}`;
    await age('23 hours 59 minutes');
    expect((await create(key, body)).text).toBe(first.text);
    await age('24 hours 1 minute');
    expect((await create(key, body)).text).toContain('/problems/email-taken');
    expect((await create(key, newUser())).status).toBe(201);
  });

  it.each([
    ['an empty one', '""', 400],
    ['one with blanks', 'a b', 400],
    ['one of 256 characters', 'k'.repeat(256), 400],
    ['one of 255 characters', 'k'.repeat(255), 201],
  ])('that is %s, gets a matching response', async (_, key, status) => {
    const response = await api.call<ProblemDetails>('POST', '/api/v1/users', {
      headers: { 'idempotency-key': key },
      body: newUser(),
    });
    expect(response.status).toBe(status);
    if (status === 400) expect(response.body.type).toBe('/problems/invalid-idempotency-key');
  });

  it('is nowhere in the database as it was sent', async () => {
    const key = randomUUID();
    await create(key, newUser({ password: 'a pass phrase of some length' }));
    const [row] = await sql`select * from idempotency_keys order by created_at desc limit 1`;
    expect(JSON.stringify(row)).not.toContain(key);
    expect(JSON.stringify(row)).not.toContain('pass phrase');
  });
});
