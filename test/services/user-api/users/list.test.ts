import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UserPage } from '../../../../services/contracts/users.ts';
import {
  type ProblemDetails,
  type ReceivedResponse,
  startApiOnNewDatabase,
} from '../support/api.ts';

/** Names, each with its status, created a second apart, but the third and fourth at the same moment. */
const people = [
  ['Bob', 'active'],
  ['ada', 'inactive'],
  ['Ada B', 'active'],
  ['Adam', 'active'],
  ['Zoë', 'suspended'],
  ['zoe', 'active'],
  ['%ada', 'inactive'],
  ['Äda', 'active'],
] as const;
const SECONDS = [0, 1, 2, 2, 4, 5, 6, 7];

describe('GET /api/v1/users', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({ readers: false, environment: { NEAR_CACHE_BYTES: '0' } });
    sql = postgres(api.database.writerUrl, { max: 1, onnotice: () => {} });
    for (const [index, [name, status]] of people.entries()) {
      await sql`
        insert into users (name, email, status, created_at)
        values (${name}, ${`${index}@example.com`}, ${status},
          timestamptz '2026-01-01' + ${SECONDS[index] ?? 0} * interval '1 second')`;
    }
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });

  const get = (query: string) => api.call<UserPage>('GET', `/api/v1/users${query}`);
  const names = ({ body }: ReceivedResponse<UserPage>) => body.data.map(({ name }) => name);
  const linkOf = ({ headers }: ReceivedResponse, relation: string) =>
    new RegExp(`<([^>]+)>; rel="${relation}"`).exec(headers.get('link') ?? '')?.[1];

  /** All names of a list, by following its links. */
  async function walk(query: string): Promise<string[]> {
    const found: string[] = [];
    let path: string | undefined = `/api/v1/users${query}`;
    while (path !== undefined) {
      const page: ReceivedResponse<UserPage> = await api.call('GET', path);
      expect(page.status, page.text).toBe(200);
      found.push(...names(page));
      path = linkOf(page, 'next');
      expect(path === undefined).toBe(page.body.nextCursor === null);
    }
    return found;
  }

  const all = people.map(([name]) => name);

  it.each([1, 2, 3, 7, 8, 9])(
    'in pages of %i, gives everybody once, in order of creation, whichever way',
    async (limit) => {
      expect(await walk(`?limit=${limit}`)).toEqual(all);
      expect(await walk(`?limit=${limit}&sort=-created_at`)).toEqual([...all].reverse());
      expect(await walk(`?per_page=${limit}`)).toEqual(all);
    },
  );

  it.each([
    ['status=active', ['Bob', 'Ada B', 'Adam', 'zoe', 'Äda']],
    ['status=active&sort=-created_at', ['Äda', 'zoe', 'Adam', 'Ada B', 'Bob']],
    ['name_prefix=ad', ['ada', 'Ada B', 'Adam']],
    ['name_prefix=ADA', ['ada', 'Ada B', 'Adam']],
    ['name_prefix=ada%20', ['Ada B']],
    ['name_prefix=%25', ['%ada']],
    ['name_prefix=_', []],
    ['name_prefix=zo', ['zoe', 'Zoë']],
    ['name_prefix=%C3%A4', ['Äda']],
    ['name_prefix=ad&status=active', ['Ada B', 'Adam']],
    ['name_prefix=x', []],
  ])('with %s, gives those and no others, over all pages', async (query, expected) => {
    expect(await walk(`?${query}&limit=1`)).toEqual(expected);
    expect(await walk(`?${query}&per_page=2`)).toEqual(expected);
  });

  it('with a page, tells how many there are, and leads on, back and to the first', async () => {
    const second = await get('?page=2&per_page=3');
    expect(second.body).toMatchObject({ page: 2, perPage: 3, total: 8, totalIsExact: true });
    expect(names(second)).toEqual(all.slice(3, 6));
    for (const [relation, expected] of [
      ['first', all.slice(0, 3)],
      ['prev', all.slice(0, 3)],
      ['next', all.slice(6)],
    ] as const) {
      expect(names(await api.call('GET', linkOf(second, relation) ?? ''))).toEqual(expected);
    }
    expect(names(await get(`?limit=3&cursor=${second.body.nextCursor}`))).toEqual(all.slice(6));
    const beyond = await get('?page=9&per_page=3');
    expect(beyond.body).toMatchObject({ data: [], total: 8, nextCursor: null });
    expect((await get('?status=active&page=1')).body.total).toBe(5);
  });

  it('too deep, is refused and points to the cursor', async () => {
    expect((await get('?page=100&per_page=100')).status).toBe(200);
    const response = await api.call<ProblemDetails>('GET', '/api/v1/users?page=101&per_page=100');
    expect(response.status).toBe(422);
    expect(response.body.type).toBe('/problems/page-too-deep');
    expect(response.body.detail).toContain('cursor');
  });

  it('changed, made up, or of another list, a cursor is refused', async () => {
    const cursor = (await get('?limit=1')).body.nextCursor ?? '';
    expect((await get(`?limit=5&cursor=${cursor}`)).status).toBe(200);
    const flipped = [...cursor].map((character, index) => {
      const other = character === 'A' ? 'B' : 'A';
      return cursor.slice(0, index) + other + cursor.slice(index + 1);
    });
    const payload = Buffer.from('["2026-01-01T00:00:05.000Z",5]').toString('base64url');
    const forged = [
      ...flipped,
      cursor.slice(1),
      `${cursor}A`,
      `${cursor}=`,
      cursor.slice(0, 22) + payload,
      payload,
    ];
    for (const one of forged) {
      const { status, body } = await api.call<ProblemDetails>('GET', `/api/v1/users?cursor=${one}`);
      expect(status, one).toBe(422);
      expect(body.errors).toEqual([expect.objectContaining({ parameter: 'cursor' })]);
    }
    for (const query of ['sort=-created_at', 'status=active', 'name_prefix=a']) {
      expect((await get(`?${query}&cursor=${cursor}`)).status, query).toBe(422);
    }
  });

  it('with users created and deleted meanwhile, repeats and misses nobody who stays', async () => {
    const first = await get('?limit=4');
    const [doomed] = await sql<{ id: number }[]>`
      insert into users (name, email, created_at)
      values ('Doomed', 'doomed@example.com', '2026-01-01T00:00:03Z') returning id::float8 as id`;
    const second = await get(`?limit=2&cursor=${first.body.nextCursor}`);
    expect(names(second)).toEqual(['Doomed', 'Zoë']);
    const third = await get(`?limit=1&cursor=${first.body.nextCursor}`);
    await sql`delete from users where id = ${doomed?.id ?? 0}`;
    // The cursor names a place, not a row that must be there.
    expect(names(await get(`?limit=9&cursor=${third.body.nextCursor}`))).toEqual(all.slice(4));
  });

  it('gets 304 for the same page only', async () => {
    const page = await get('?limit=2');
    const tag = page.headers.get('etag') ?? '';
    const again = (headers: Readonly<Record<string, string>>) =>
      api.call('GET', '/api/v1/users?limit=2', { headers });
    expect((await again({ 'if-none-match': tag })).status).toBe(304);
    expect((await again({ 'if-none-match': '"other"' })).status).toBe(200);
  });

  it.each([
    ['cursor=x&page=1', 'cursor'],
    ['limit=2&per_page=2', 'limit'],
    ['name_prefix=a&sort=created_at', 'sort'],
    ['sort=name', 'sort'],
    ['page=0', 'page'],
    ['per_page=101', 'per_page'],
    ['name_prefix=', 'name_prefix'],
    [`name_prefix=${'a'.repeat(101)}`, 'name_prefix'],
    ['name_prefix=%00', 'name_prefix'],
  ])('with %s, is refused naming the parameter', async (query, parameter) => {
    const { status, body } = await api.call<ProblemDetails>('GET', `/api/v1/users?${query}`);
    expect(status).toBe(422);
    expect(body.errors?.map((error) => error.parameter)).toEqual([parameter]);
  });
});
