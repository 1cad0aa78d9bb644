import { describe, expect, it } from 'vitest';
import { scenarios } from './scenarios.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';

/** Numbers from 0 to 1 that are the same in each run (mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const COUNT = 20_000;

function requestsOf(options: Partial<TrafficOptions>, learn?: (traffic: Traffic) => void) {
  const traffic = new Traffic({
    mix: { read: 1, list: 0, create: 0, update: 0 },
    popularity: 'even',
    users: 100,
    run: 'test',
    headers: {},
    random: seeded(1),
    ...options,
  });
  learn?.(traffic);
  return Array.from({ length: COUNT }, () => traffic.next());
}

const headers = { 'x-api-key': 'key' };

const idsOf = (requests: readonly { readonly path?: string | undefined }[]) =>
  requests.map(({ path }) => Number(/\/(\d+)$/.exec(path ?? '')?.[1]));

describe('Traffic', () => {
  it.each(Object.entries(scenarios))('of %s has the mix that was asked for', (_, { mix }) => {
    const requests = requestsOf({ mix, headers }, (traffic) =>
      traffic.learn(201, '{"id":7,"name":"x"}'),
    );
    const share = (test: (method: string, path: string) => boolean) =>
      requests.filter(({ method = '', path = '' }) => test(method, path)).length / COUNT;
    expect(share((method) => method === 'POST')).toBeCloseTo(mix.create, 1);
    expect(share((method) => method === 'PATCH')).toBeCloseTo(mix.update, 1);
    expect(share((_method, path) => path.includes('?limit='))).toBeCloseTo(mix.list, 1);
  });

  it.each(['even', 'skewed', 'one'] as const)(
    'reads only users that exist when %s',
    (popularity) => {
      const ids = idsOf(requestsOf({ popularity }));
      expect(Math.min(...ids)).toBe(1);
      expect(Math.max(...ids)).toBe(100);
    },
  );

  it('reads some users far more than others when skewed, and one nearly always when hot', () => {
    const inFirstTenth = (popularity: TrafficOptions['popularity']) =>
      idsOf(requestsOf({ popularity })).filter((id) => id <= 10).length / COUNT;
    expect(inFirstTenth('even')).toBeCloseTo(0.1, 1);
    expect(inFirstTenth('skewed')).toBeGreaterThan(0.4);
    const hot = idsOf(requestsOf({ popularity: 'one' })).filter((id) => id === 1).length / COUNT;
    expect(hot).toBeGreaterThan(0.9);
  });

  it('creates each user with an address of its own, at which nobody is', () => {
    const requests = requestsOf({ mix: { read: 0, list: 0, create: 1, update: 0 } });
    const emails = requests.map(({ body }) => JSON.parse(String(body)).email);
    expect(new Set(emails).size).toBe(COUNT);
    for (const email of emails)
      expect(email).toMatch(/^success\+[\w.]+@simulator\.amazonses\.com$/);
  });

  it('updates only users that it has created', () => {
    const mix = { read: 0, list: 0, create: 0, update: 1 };
    const before = requestsOf({ mix, headers });
    expect(before.every(({ method }) => method === 'POST')).toBe(true);
    const after = requestsOf({ mix, headers }, (traffic) => {
      traffic.learn(201, '{"id":4711,"name":"x"}');
      traffic.learn(409, '{"id":1,"name":"x"}');
      traffic.learn(201, '<html>');
    });
    expect(after.every(({ method }) => method === 'PATCH')).toBe(true);
    expect(new Set(idsOf(after))).toEqual(new Set([4_711]));
  });

  it('reads instead of updating when it has no credentials, as that would be refused', () => {
    const mix = { read: 0, list: 0, create: 0, update: 1 };
    const requests = requestsOf({ mix }, (traffic) => traffic.learn(201, '{"id":4711,"name":"x"}'));
    expect(requests.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('sends the headers that were asked for with each request', () => {
    const mix = { read: 0.5, list: 0, create: 0.5, update: 0 };
    const requests = requestsOf({ mix, headers: { authorization: 'Bearer abc' } });
    expect(requests.every(({ headers }) => headers?.authorization === 'Bearer abc')).toBe(true);
  });
});
