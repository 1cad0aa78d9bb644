import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { User, UserPage } from '../../../../services/contracts/users.ts';
import {
  type PreparedText,
  runPrepared,
} from '../../../../services/user-api/database/statements.ts';
import { CursorSigner } from '../../../../services/user-api/http/cursor.ts';
import { deriveKey } from '../../../../services/user-api/secrets/derived-key.ts';
import {
  countOfUsers,
  type ListedRow,
  type ListPosition,
  type UserListing,
  usersAfter,
  usersBehind,
} from '../../../../services/user-api/users/list-statements.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { createUser, newUser, SERVICE_SECRET, startTestApi, type TestApi } from '../support/api.ts';

/** Their indexes have as many levels as those of a million. */
const USERS = 300_000;
const PAGE = 20;
/** Depths, in users, that a page must not tell apart by what it costs. */
const [SHALLOW, DEEP] = [10, 270_000];
/** What a page of 20 may read: the way down an index, a leaf or two, and the rows, each on a page of its own at worst. */
const PAGE_BUFFERS_MAXIMUM = 40;
/** Where a page begins within a page of the index, or of the table, is chance. */
const BUFFERS_TOLERANCE = 5;

let database: TestDatabase;
let sql: Sql;

/**
 * Many users, three at each moment, names in another order than times. Without a log, so that no replica replays them, and with the
 * indexes made afterwards.
 */
async function fill(): Promise<void> {
  for (const table of ['accounts', 'password_resets', 'email_changes', 'api_keys', 'users']) {
    await sql.unsafe(`alter table ${table} set unlogged`);
  }
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename = 'users' and indexname <> 'users_pkey'`;
  for (const { name } of indexes) await sql`drop index ${sql(name)}`;
  await sql`
    insert into users (name, email, status, created_at)
    select
      (array['Ada', 'Björn', 'Chen', 'Dorothy', 'Émile', 'Fatima', 'Grace'])[1 + number % 7] || ' ' || number::bigint * 7919 % ${USERS},
      number || '@example.com',
      case when number % 300 = 0 then 'suspended' when number % 17 = 0 then 'inactive' else 'active' end,
      timestamptz '2020-01-01' + number / 3 * interval '1 second'
    from generate_series(1, ${USERS}) as number`;
  await sql`set maintenance_work_mem = '256MB'`;
  for (const { definition } of indexes) await sql.unsafe(definition);
  await sql`vacuum (analyze) users`;
}

beforeAll(async () => {
  database = await createMigratedDatabase();
  sql = postgres(database.writerUrl, { max: 1, onnotice: () => {}, fetch_types: false });
  await fill();
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): string[] => [
  node['Node Type'],
  ...(node.Plans ?? []).flatMap(nodesOf),
];

/** How PostgreSQL does a statement, and how many pages it reads for that. */
async function explain({ parameters, text }: PreparedText) {
  const [row] = await sql.unsafe(`explain (analyze, buffers, format json) ${text}`, [
    ...parameters,
  ]);
  const plan: PlanNode = row?.['QUERY PLAN'][0].Plan;
  return {
    nodes: nodesOf(plan),
    buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
  };
}

/** Where users stand in a list: the one that ends so many, and the page after it with one more. */
async function stretchAt(listing: UserListing, depth: number): Promise<ListPosition[]> {
  const rows = await runPrepared<ListedRow>(sql, usersBehind(listing, depth - 1, PAGE + 2));
  return rows.map(({ key, id }) => ({ key, id }));
}

const creation = { by: 'creation', newestFirst: false } as const;
const listings: readonly [string, UserListing, number][] = [
  ['of all users, the oldest first', { order: creation }, DEEP],
  ['of all users, the newest first', { order: { ...creation, newestFirst: true } }, DEEP],
  ['of active users', { order: creation, status: 'active' }, DEEP],
  ['of inactive users', { order: creation, status: 'inactive' }, 15_000],
  [
    'of suspended users, the newest first',
    { order: { ...creation, newestFirst: true }, status: 'suspended' },
    900,
  ],
  ['by a prefix of the name', { order: { by: 'name', prefix: 'b' } }, 35_000],
  [
    'by another case of a prefix that is not ASCII',
    { order: { by: 'name', prefix: 'ÉMILE' } },
    35_000,
  ],
  ['by a prefix that few have', { order: { by: 'name', prefix: 'Ada 9' } }, 1_000],
  [
    'of suspended users by a prefix',
    { order: { by: 'name', prefix: 'grace' }, status: 'suspended' },
    110,
  ],
];

describe('among 300,000 users', () => {
  it.each(listings)(
    'a page %s begins where the one before ended, and costs the same however deep it is',
    async (_, listing, deep) => {
      const costs: number[] = [];
      for (const depth of [SHALLOW, deep]) {
        const [position = null, ...following] = await stretchAt(listing, depth);
        expect(following).toHaveLength(PAGE + 1);
        const statement = usersAfter(listing, position, PAGE);
        const page = await runPrepared<ListedRow>(sql, statement);
        expect(page.map(({ key, id }) => ({ key, id }))).toEqual(following.slice(0, PAGE));
        const { buffers, nodes } = await explain(statement);
        expect(nodes).toEqual(['Limit', 'Index Scan']);
        costs.push(buffers);
      }
      const [shallow = 0, other = 0] = costs;
      expect(Math.abs(shallow - other)).toBeLessThanOrEqual(BUFFERS_TOLERANCE);
      expect(Math.max(...costs)).toBeLessThanOrEqual(PAGE_BUFFERS_MAXIMUM);
    },
  );

  it.each(listings)('the first pages %s and their count read an index', async (_, listing) => {
    const pages = [usersAfter(listing, null, PAGE), usersBehind(listing, 100, PAGE)];
    for (const page of pages) expect((await explain(page)).nodes).toEqual(['Limit', 'Index Scan']);
    const { nodes } = await explain(countOfUsers(listing, 10_001));
    expect(nodes.join()).toMatch(/Index/);
    expect(nodes).not.toContain('Seq Scan');
  });

  const cursors = new CursorSigner(deriveKey(SERVICE_SECRET, 'cursor'));

  /** Each route that asks for users, in each way. */
  async function useEverything(api: TestApi): Promise<void> {
    const ok = async (method: string, path: string, body?: unknown) => {
      const response = await api.call<User & UserPage>(method, path, { as: 'admin', body });
      expect(response.status, `${method} ${path}: ${response.text}`).toBeLessThan(300);
      return response.body;
    };
    const deep = cursors.encode('[null,{"by":"creation","newestFirst":false}]', [
      new Date(Date.UTC(2020) + (DEEP / 3) * 1_000).toISOString(),
      DEEP,
    ]);
    for (const query of [
      '',
      `cursor=${deep}`,
      'sort=-created_at',
      'status=active',
      'status=suspended&sort=-created_at',
      'name_prefix=gr',
      'name_prefix=gr&status=inactive',
      'page=1',
      'page=500&per_page=20',
      'page=3&status=suspended',
      'page=2&name_prefix=chen',
    ]) {
      const { data, nextCursor } = await ok('GET', `/api/v1/users?${query}`);
      expect(data).toHaveLength(20);
      if (query.startsWith('page') || nextCursor === null) continue;
      const filters = query.replace(/cursor=[^&]*/, '');
      const next = await ok('GET', `/api/v1/users?${filters}&cursor=${nextCursor}`);
      expect(next.data).toHaveLength(20);
    }
    const { id } = await createUser(api);
    const own = `/api/v1/users/${id}`;
    await ok('GET', own);
    await ok('GET', `${own}/export`);
    await ok('PATCH', own, { name: 'Changed', status: 'inactive' });
    await ok('PUT', own, { ...newUser(), status: 'active' });
    await ok('DELETE', own);
    const fields = newUser({ password: 'a pass phrase of some length' });
    const created = await ok('POST', '/api/v1/users', fields);
    const login = { email: fields.email, password: 'a pass phrase of some length' };
    await ok('POST', '/api/v1/auth/login', login);
    await ok('POST', '/api/v1/auth/password-resets', { email: fields.email });
    await ok('PUT', `/api/v1/users/${created.id}/role`, { role: 'user' });
    await ok('DELETE', `/api/v1/users/${created.id}/sessions`);
  }

  it.each(['auto', 'force_generic_plan'])(
    'with plans made %s, nothing that the API can be asked for reads the table from end to end',
    async (mode) => {
      await sql.unsafe(`alter database ${database.name} set plan_cache_mode = ${mode}`);
      const scans = async () =>
        (
          await sql`
          select seq_scan::int as scans, (seq_tup_read + idx_tup_fetch)::int as rows
          from pg_stat_user_tables where relname = 'users'`
        )[0];
      const before = await scans();
      const api = await startTestApi({ database });
      await useEverything(api);
      // A connection tells what it has read when it ends.
      await api.stop();
      const after = await scans();
      expect(after?.scans).toBe(before?.scans);
      // Numbered pages read what they skip, and count: some 10,000 rows each at worst.
      expect(after?.rows - before?.rows).toBeGreaterThan(1_000);
      expect(after?.rows - before?.rows).toBeLessThan(70_000);
    },
  );
});
