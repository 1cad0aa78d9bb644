import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { LoadedResource } from '../../../../../services/user-api/cache/coherent-reader.ts';
import { ReadsShed } from '../../../../../services/user-api/cache/loads.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../../support/database.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import { newUser } from '../../support/api.ts';
import { expectSameResponses, rawGet, sendBytes } from './support/raw-requests.ts';
import { readDecisions, type Side, startSides } from './support/side.ts';

const SHORT_DEADLINE_MILLISECONDS = 200;

describeWithRedis('the fast path, of a user who is not in memory', (redis) => {
  let database: TestDatabase;
  let sides: [Side, Side];
  let id: number;
  let deletedId: number;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sides = await start();
    const { users } = sides[1].dependencies;
    const fields = {
      ...newUser({ name: 'Ænne 🦊 "quoted", \\"email":"' }),
      status: 'active',
    } as const;
    ({ id } = await users.create(fields, null));
    ({ id: deletedId } = await users.create({ ...fields, email: 'gone@example.com' }, null));
    await users.remove(deletedId, null, { kind: 'admin', userId: 1 });
  });
  afterAll(async () => {
    for (const side of sides) await side.stop();
    await database.drop();
  });
  beforeEach(() => {
    sides[0].responded.length = 0;
  });

  const start = (environment: Readonly<Record<string, string>> = {}) =>
    startSides(
      { database, redisUrl: redis().url },
      // Nothing is kept in memory.
      { NEAR_CACHE_BYTES: '0', ...environment },
    );

  /** What each side has counted, once nothing is in flight. */
  const counted = async () =>
    await Promise.all(
      sides.map(async (side) => {
        const { dependencies, observer, server } = side;
        await vi.waitUntil(() => server.requestsInFlight === 0, { timeout: 15_000 });
        const { nearHits, nearMisses, nearBypasses, shed } = dependencies.userCaching.metrics;
        return {
          limits: readDecisions(side),
          callers: { ...dependencies.admission.counts },
          cache: { nearHits, nearMisses, nearBypasses, shed },
          requests: [...observer.metrics.series()].map(({ route, series }) => ({
            route,
            statuses: [...series.statuses],
          })),
          problems: [...observer.metrics.problems()],
        };
      }),
    );

  const statusesOf = ({ observer }: Side): Record<number, number> =>
    Object.fromEntries(
      [...observer.metrics.series()].flatMap(({ series }) => [...series.statuses]),
    );

  /** Has both read from elsewhere until the test ends. */
  const readBy = (read: () => Promise<null>, readers: readonly Side[] = sides) => {
    for (const { dependencies } of readers) {
      vi.spyOn(dependencies.userCaching.reader, 'read').mockImplementation(read);
    }
    onTestFinished(() => void vi.restoreAllMocks());
  };

  it.each([
    ['200', []],
    ['304', ['If-None-Match: "v1"']],
    ['200', ['If-None-Match: "v2"', 'User-Agent: test']],
  ])('responds %s with the bytes of the full path, with %j', async (status, headers) => {
    const response = await expectSameResponses(sides, rawGet(`/api/v1/users/${id}`, headers));
    expect(response.slice(9, 12)).toBe(status);
    expect(response).not.toContain('@example.com');
    expect(sides[0].responded).toEqual([Number(status)]);
  });

  it('reads once, counts once, and leaves the response to the full path where there is no such user', async () => {
    for (const gone of [deletedId, 99_999_999]) {
      const response = await expectSameResponses(sides, rawGet(`/api/v1/users/${gone}`));
      expect(response.slice(9, 12)).toBe('404');
    }
    expect(sides[0].responded).toEqual([]);
    const [one, other] = await counted();
    expect(one).toEqual(other);
  });

  it('leaves errors to the full path, and asks for nothing a second time', async () => {
    let reads = 0;
    readBy(async () => {
      reads += 1;
      throw new ReadsShed('Too many wait');
    });
    const [one, other] = await Promise.all(
      sides.map(({ port }) => sendBytes(port, rawGet(`/api/v1/users/${id}`))),
    );
    const withoutChance = (text = '') => text.replace(/retry-after: \d/, 'retry-after: some');
    expect(withoutChance(one)).toBe(withoutChance(other));
    expect(one?.slice(9, 12)).toBe('503');
    expect(reads).toBe(sides.length);
    const [counts, others] = await counted();
    expect(counts).toEqual(others);
  });

  it('gives up at the deadline, with the bytes of the full path', async () => {
    const hasty = await start({
      REQUEST_DEADLINE_MILLISECONDS: String(SHORT_DEADLINE_MILLISECONDS),
    });
    onTestFinished(async () => void (await Promise.all(hasty.map((side) => side.stop()))));
    readBy(() => new Promise(() => {}), hasty);
    const response = await expectSameResponses(hasty, rawGet(`/api/v1/users/${id}`));
    expect(response.slice(9, 12)).toBe('503');
    expect(response).toContain('/problems/deadline-exceeded');
  });

  it('counts a client that has gone meanwhile as gone, once the read has ended', async () => {
    const [side] = sides;
    const reading = Promise.withResolvers<LoadedResource | null>();
    const user = await side.dependencies.userCaching.reader.read(id);
    const read = vi.spyOn(side.dependencies.userCaching.reader, 'read');
    onTestFinished(() => void vi.restoreAllMocks());
    read.mockImplementation(() => reading.promise);
    const before = statusesOf(side);
    const socket = connect(side.port, '127.0.0.1');
    socket.write(rawGet(`/api/v1/users/${id}`));
    await vi.waitUntil(() => read.mock.calls.length === 1);
    socket.destroy();
    await vi.waitUntil(() => side.server.connections === 0);
    reading.resolve(user);
    await vi.waitUntil(() => side.server.requestsInFlight === 0);
    expect(statusesOf(side)).toEqual({ ...before, 499: (before[499] ?? 0) + 1 });
  });

  it('while the server closes, says that the connection ends', async () => {
    const [side] = sides;
    const reading = Promise.withResolvers<null>();
    const before = side.dependencies.userCaching.reader.read(id);
    readBy(() => reading.promise);
    const response = sendBytes(side.port, rawGet(`/api/v1/users/${id}`));
    await vi.waitUntil(() => side.server.requestsInFlight === 1, { timeout: 15_000 });
    const closed = side.server.close(5_000);
    reading.resolve((await before) as null);
    expect(await response).toMatch(/^connection: close\r$/im);
    expect(await closed).toBe(true);
  });
});
