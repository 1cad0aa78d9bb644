import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UserPage } from '../../../../services/contracts/users.ts';
import { createUser, type ReceivedResponse, startApiOnNewDatabase } from '../support/api.ts';

/** Over HTTP, with writes on the primary and reads from the replica, without Redis. */
describe('GET /api/v1/users, behind a replica', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;

  beforeAll(async () => {
    api = await startApiOnNewDatabase();
  });
  afterAll(async () => {
    await api.stop();
  });

  describe('the list', () => {
    it('gives every user once, page by page, while others are created', async () => {
      const own = await startApiOnNewDatabase({ readers: false });
      try {
        const created: number[] = [];
        for (let index = 0; index < 7; index += 1) created.push((await createUser(own)).id);
        const seen: number[] = [];
        let path: string | null = '/api/v1/users?limit=3';
        while (path !== null) {
          const { body, headers }: ReceivedResponse<UserPage> = await own.call('GET', path);
          seen.push(...body.data.map(({ id }) => id));
          path = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? null;
          expect(path === null).toBe(body.nextCursor === null);
          if (seen.length === 3) created.push((await createUser(own)).id);
        }
        expect(seen).toEqual(created);
      } finally {
        await own.stop();
      }
    });

    it('with a full last page, does not promise another', async () => {
      const own = await startApiOnNewDatabase({ readers: false });
      try {
        expect((await own.call('GET', '/api/v1/users')).body).toEqual({
          data: [],
          nextCursor: null,
        });
        await createUser(own);
        await createUser(own);
        const { body } = await own.call<UserPage>('GET', '/api/v1/users?limit=2');
        expect(body.data).toHaveLength(2);
        expect(body.nextCursor).toBeNull();
      } finally {
        await own.stop();
      }
    });

    it('with a status, gives only those users, on every page', async () => {
      const own = await startApiOnNewDatabase({ readers: false });
      try {
        const statuses = ['active', 'inactive', 'active', 'inactive', 'inactive'];
        for (const status of statuses) await createUser(own, { status });
        const first = await own.call<UserPage>('GET', '/api/users?status=inactive&limit=2');
        const link = /<(.+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
        const second = await own.call<UserPage>('GET', link);
        const both = [...first.body.data, ...second.body.data];
        expect(both.map(({ status }) => status)).toEqual(Array(3).fill('inactive'));
        expect(second.body.nextCursor).toBeNull();
      } finally {
        await own.stop();
      }
    });

    it('without a limit, gives 20', async () => {
      const own = await startApiOnNewDatabase({ readers: false });
      try {
        await Promise.all(Array.from({ length: 21 }, () => createUser(own)));
        expect((await own.call<UserPage>('GET', '/api/users')).body.data).toHaveLength(20);
      } finally {
        await own.stop();
      }
    });
  });
});
