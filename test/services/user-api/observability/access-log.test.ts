import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import {
  AccessLog,
  RequestRecord,
} from '../../../../services/user-api/observability/requests/request-observer.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { createUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';

const isAccess = ({ message }: { readonly message?: unknown }) =>
  message === 'request' || message === 'slow request';

describe('The access log', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApiOnNewDatabase();
  });
  afterAll(() => api.stop());

  it('has a line for a request, with its id, method, route, status and duration', async () => {
    const headers = { 'x-request-id': 'my-request-1' };
    await api.call('GET', '/api/v1/users/999999', { headers });
    // It is written when the response has gone, which the client may learn first.
    const line = await vi.waitUntil(() => api.log.find(isAccess), { timeout: 15_000 });

    expect(line).toMatchObject({
      level: 'info',
      service: 'user-api',
      stage: 'test',
      requestId: 'my-request-1',
      method: 'GET',
      route: '/api/v1/users/{id}',
      status: 404,
      durationMilliseconds: expect.any(Number),
      problem: 'user-not-found',
    });
    expect(line.durationMilliseconds).toBeGreaterThan(0);
  });
});

describeWithRedis('The access log, of hits in a cache', (redis) => {
  it.each([
    ['memory', {}],
    ['Redis', { NEAR_CACHE_BYTES: '0' }],
  ])(
    'in %s, has a line for one in so many, which says so, and for all other requests',
    async (_cache, variables) => {
      const api = await startApiOnNewDatabase({
        redisUrl: redis().url,
        environment: { ACCESS_LOG_ONE_HIT_IN: '5', ...variables },
      });
      const { id } = await createUser(api);
      // Until it is in the cache, of which memory keeps nothing before the process is notified of writes; the first hit has a line.
      await eventually(async () => {
        await api.call('GET', `/api/v1/users/${id}`);
        expect(api.log.some(({ oneHitIn }) => oneHitIn === 5)).toBe(true);
      });
      const linesOf = async (path: string, expected: number) => {
        const before = api.log.length;
        for (let count = 0; count < 20; count += 1) await api.call('GET', path);
        const lines = () =>
          api.log.slice(before).filter(({ route }) => route === '/api/v1/users/{id}');
        await expect.poll(lines).toHaveLength(expected);
        return lines();
      };
      const hits = await linesOf(`/api/v1/users/${id}`, 4);
      await linesOf('/api/v1/users/999999', 20);
      await api.stop();

      for (const line of hits) expect(line).toMatchObject({ status: 200, oneHitIn: 5 });
    },
  );

  it('has a line for one in so many pages of a list that were in memory, too', async () => {
    const api = await startApiOnNewDatabase({
      redisUrl: redis().url,
      environment: { ACCESS_LOG_ONE_HIT_IN: '5' },
    });
    const sampled = () =>
      api.log.filter(({ oneHitIn, route }) => route === '/api/v1/users' && oneHitIn === 5);
    await eventually(async () => {
      await api.call('GET', '/api/v1/users');
      expect(sampled().length).toBeGreaterThan(1);
    });
    await api.stop();
  });
});

const request = { requestId: 'r', method: 'GET', headers: {}, receivedAt: 0 };
const record = new RequestRecord();
const ofHit = Object.assign(new RequestRecord(), { fromCache: true });

describe('AccessLog', () => {
  function setUp(level: string, oneHitIn = 1_000) {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger(
      { LOG_LEVEL: level, STAGE: 'test' },
      { write: (line) => void lines.push(JSON.parse(line)) },
    );
    return {
      lines,
      logger,
      log: new AccessLog(logger, { oneHitIn, slowRequestMilliseconds: 100 }),
    };
  }
  const end = { route: '/x', status: 200, durationMilliseconds: 5, aborted: false };

  it('has a line for the first hit and then for one in so many, which says so', () => {
    const { lines, log } = setUp('info', 5);
    for (let count = 0; count < 12; count += 1) log.write(request, ofHit, end);

    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatchObject({ status: 200, oneHitIn: 5 });
  });

  it('has a line for every request that was no hit', () => {
    const { lines, log } = setUp('info', 5);
    for (let count = 0; count < 12; count += 1) log.write(request, record, end);

    expect(lines).toHaveLength(12);
  });

  it('warns of a slow request, also of a hit that is not sampled', () => {
    const { lines, log } = setUp('info');
    log.write(request, ofHit, end);
    log.write(request, ofHit, { ...end, durationMilliseconds: 100.5 });
    log.write(request, ofHit, { ...end, durationMilliseconds: 100 });

    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'request'],
      ['warn', 'slow request'],
    ]);
  });

  it.each([
    ['an error', { status: 429 }],
    ['a fault', { status: 503 }],
    ['a client that has gone', { aborted: true }],
  ])('has every hit that ended with %s', (_what, how) => {
    const { lines, log } = setUp('info');
    for (let count = 0; count < 3; count += 1) log.write(request, ofHit, { ...end, ...how });

    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).not.toHaveProperty('oneHitIn');
  });

  it('at the level warn, still has faults and slow requests', () => {
    const { lines, log } = setUp('warn');
    log.write(request, record, end);
    log.write(request, record, { ...end, status: 404 });
    log.write(request, record, { ...end, status: 500 });
    log.write(request, record, { ...end, durationMilliseconds: 101 });

    expect(lines.map(({ status, message }) => [status, message])).toEqual([
      [500, 'request'],
      [200, 'slow request'],
    ]);
  });

  it('follows the level of the logger when that is changed', () => {
    const { lines, log, logger } = setUp('silent');
    log.write(request, record, end);
    logger.level = 'info';
    log.write(request, record, end);
    logger.level = 'error';
    log.write(request, record, end);

    expect(lines).toHaveLength(1);
  });
});
