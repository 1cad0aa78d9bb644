import { expect, it } from 'vitest';
import { cacheShares } from './report/cache-shares.ts';
import type { Second } from './timeline.ts';
import { Tally } from './timeline.ts';

function second(at: number, readsByLayer: Readonly<Record<string, number>> | null): Second {
  const { latency, outcomes } = new Tally();
  const metrics = readsByLayer === null ? null : { readsByLayer, pools: {}, waitingEvents: {} };
  return { at, phase: 'p', connections: 1, length: 1, outcomes, latency, metrics };
}

const sharesOf = (...seconds: Second[]) =>
  cacheShares(seconds).map(({ at, percent }) => [at, Object.fromEntries(percent)]);

it('of the reads between two samples, each layer has its share', () => {
  expect(sharesOf(second(1, { near: 10, redis: 0 }), second(2, { near: 40, redis: 10 }))).toEqual([
    [2, { near: 75, redis: 25 }],
  ]);
});

it('seconds without a sample have no shares, and those after them count from the last sample', () => {
  expect(
    sharesOf(second(1, { near: 10 }), second(1.5, null), second(2, { near: 20, writer: 10 })),
  ).toEqual([[2, { near: 50, writer: 50 }]]);
});

it('a layer that a sample does not name has a share of nothing', () => {
  expect(
    sharesOf(second(1, { near: 1 }), second(2, { near: 2 }), second(3, { near: 3, writer: 3 })),
  ).toEqual([
    [2, { near: 100, writer: 0 }],
    [3, { near: 25, writer: 75 }],
  ]);
});

it('a time in which nothing was read has no shares', () => {
  expect(sharesOf(second(1, { near: 5 }), second(2, { near: 5 }))).toEqual([]);
});

it('after a restart, counters count from nothing', () => {
  expect(sharesOf(second(1, { near: 100, redis: 10 }), second(2, { near: 30, redis: 10 }))).toEqual(
    [[2, { near: 100, redis: 0 }]],
  );
});
