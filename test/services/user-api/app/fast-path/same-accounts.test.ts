import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../../../../support/database.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import { newUser } from '../../support/api.ts';
import { expectSameResponses, rawGet, sendBytes } from './support/raw-requests.ts';
import { keepInMemory, readDecisions, type Side, startSides } from './support/side.ts';

/** Hits of which one has a line in the access log. */
const ONE_HIT_IN = 5;

describeWithRedis('a response of the fast path', (redis) => {
  let database: TestDatabase;
  let id: number;

  beforeAll(async () => {
    database = await createMigratedDatabase();
  });
  afterAll(async () => {
    await database.drop();
  });

  /** Both with one user in memory. */
  async function start(environment: Readonly<Record<string, string>>): Promise<[Side, Side]> {
    const sides = await startSides({ database, redisUrl: redis().url }, environment);
    onTestFinished(async () => void (await Promise.all(sides.map((side) => side.stop()))));
    const user = { ...newUser(), status: 'active' } as const;
    ({ id } = await sides[1].dependencies.users.create(user, null));
    await keepInMemory(sides, id);
    for (const { dependencies } of sides) dependencies.userCaching.metrics.nearHits = 0;
    return sides;
  }

  it('is counted as the full path counts it, in limits, metrics and the log', async () => {
    const sides = await start({ ACCESS_LOG_ONE_HIT_IN: String(ONE_HIT_IN) });

    const eligible = rawGet(`/api/v1/users/${id}`);
    for (let count = 0; count < 2 * ONE_HIT_IN; count += 1)
      await expectSameResponses(sides, eligible);
    await expectSameResponses(sides, rawGet(`/api/v1/users/${id}`, ['If-None-Match: "v1"']));
    expect(sides[0].responded).toHaveLength(2 * ONE_HIT_IN + 1);

    const seen = async (side: Side) => {
      const { dependencies, log, observer, server } = side;
      // The full path knows of the end of a response a moment after the client.
      await vi.waitUntil(() => server.requestsInFlight === 0, { timeout: 15_000 });
      return {
        limits: readDecisions(side),
        callers: dependencies.admission.counts,
        hits: dependencies.userCaching.metrics.nearHits,
        requests: [...observer.metrics.series()].map(({ series, ...labels }) => ({
          ...labels,
          statuses: [...series.statuses],
          durations: series.durations.buckets.reduce((sum, count) => sum + count, 0),
        })),
        log: log
          .filter(({ message }) => message === 'request')
          .map(({ durationMilliseconds: _, time: __, ...line }) => line),
      };
    };
    const [one, other] = await Promise.all(sides.map(seen));
    expect(one).toEqual(other);
    expect(one?.hits).toBe(2 * ONE_HIT_IN + 1);
    expect(one?.log).toHaveLength(3);
  });

  it('beyond its limit, is refused and counted as the full path does', async () => {
    const sides = await start({ RATE_LIMITS: 'reads=3/86400' });

    const eligible = rawGet(`/api/v1/users/${id}`);
    const refusals = await Promise.all(
      sides.map(async (side) => {
        const seen: string[] = [];
        // A lease may pass some more than the limit before Redis is notified.
        const refused = () => seen.filter((response) => response.startsWith('HTTP/1.1 429 '));
        while (refused().length < 3) seen.push(await sendBytes(side.port, eligible));
        expect(seen.length).toBeLessThan(20);
        expect(readDecisions(side)).toEqual({ allowed: seen.length - 3, refused: 3 });
        expect(side.dependencies.admission.counts.anonymous).toBe(seen.length);
        expect(side.dependencies.userCaching.metrics.nearHits).toBe(seen.length - 3);
        // The two were asked for the first time at moments that may be a second apart.
        return refused().map((response) =>
          response.replaceAll(/(;t=|retry-after: |for )\d+/g, '$1<seconds>'),
        );
      }),
    );
    expect(refusals[0]).toEqual(refusals[1]);
    expect(sides[0].responded).not.toContain(429);
  });

  it.each([
    ['with CORS', { CORS_ALLOWED_ORIGINS: 'https://www.example.com' }],
    ['behind https', { ACCESS_TOKEN_ISSUER: 'https://api.example.com' }],
  ])('%s, responds with the bytes of the full path', async (_, environment) => {
    const sides = await start(environment);

    for (const headers of [[], ['If-None-Match: "v1"']]) {
      await expectSameResponses(sides, rawGet(`/api/v1/users/${id}`, headers));
    }
    expect(sides[0].responded).toEqual([200, 304]);
  });
});
