import { describe, expect, it } from 'vitest';
import { judge } from './comparison.ts';
import type { Comparison, Measurement } from './measurement.ts';
import { disturbanceNote, verdictsOf } from './results.ts';
import { resultsOf } from './sample-results.ts';
import { median, ratiosByRound, spread } from './statistics.ts';

const measurement = (
  operationsPerSecond: number,
  cpu: number | null,
  others: Partial<Measurement> = {},
): Measurement => ({
  operations: 1_000,
  operationsPerSecond,
  cpuMicrosecondsPerOperation: cpu,
  latency: null,
  processes: 1,
  subjectBusy: null,
  disturbance: null,
  otherCoresBusy: null,
  ...others,
});
const target = (comparison: Comparison, bound: number) => ({
  subject: 'a',
  against: 'b',
  comparison,
  bound,
});
const p99 = (value: number) => ({ latency: { p50: 1, p99: value, p999: value } });

describe('median', () => {
  it.each([
    [[5], 5],
    [[9, 1, 5], 5],
    [[10, 2, 1, 9], 5.5],
  ])('of %j is %d, whatever the order', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is an error rather than a number', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('spread', () => {
  it('has the least, the middle and the most', () => {
    expect(spread([3, 1, 2])).toEqual({ minimum: 1, median: 2, maximum: 3 });
  });
});

describe('ratiosByRound', () => {
  it('divides within a round, so that a slow round of both changes nothing', () => {
    expect(ratiosByRound([100, 50, 100], [200, 100, 200])).toEqual([0.5, 0.5, 0.5]);
  });

  it('leaves out rounds that lack one of the two, without moving the others', () => {
    expect(ratiosByRound([1, null, 3], [2, 2, 2])).toEqual([0.5, 1.5]);
    expect(ratiosByRound([1, 2], [2])).toEqual([0.5]);
  });
});

describe('judge', () => {
  it('takes the worse of throughput and CPU time for speed', () => {
    const verdict = judge(
      target('speed', 0.9),
      // As fast, because something else was the limit, but at twice the CPU time.
      [measurement(100, 20), measurement(110, 20), measurement(90, 20)],
      [measurement(100, 10), measurement(110, 10), measurement(90, 10)],
    );
    expect(verdict?.throughput?.median).toBe(1);
    expect(verdict?.cpu?.median).toBe(0.5);
    expect(verdict?.ratio.median).toBe(0.5);
    expect(verdict?.met).toBe(false);
  });

  it('goes by throughput alone where the system reports no CPU time', () => {
    const verdict = judge(target('speed', 0.9), [measurement(95, null)], [measurement(100, null)]);
    expect(verdict).toMatchObject({ cpu: null, ratio: { median: 0.95 }, met: true });
  });

  it('counts processes by CPU time for capacity', () => {
    const two = measurement(100, 10.5, { processes: 2 });
    const verdict = judge(target('capacity', 1.9), [two], [measurement(100, 10)]);
    expect(verdict?.ratio.median).toBeCloseTo(2 / 1.05);
    expect(verdict?.met).toBe(true);
  });

  it('wants p99 and duration to be at most the bound', () => {
    const slow = judge(
      target('p99', 1.5),
      [measurement(1, 1, p99(160))],
      [measurement(1, 1, p99(100))],
    );
    expect(slow).toMatchObject({ ratio: { median: 1.6 }, met: false });
    const quick = judge(target('duration', 2.5), [measurement(0.5, 1)], [measurement(1, 1)]);
    expect(quick).toMatchObject({ ratio: { median: 2 }, met: true });
  });

  it('takes a figure of the subject for itself', () => {
    const found = judge(
      { subject: 'a', against: 'bytes', comparison: 'figure', bound: 2_048 },
      [500, 600, 700].map((bytes) => measurement(1, 1, { figures: { bytes } })),
      [],
    );
    expect(found).toMatchObject({ ratio: { minimum: 500, median: 600, maximum: 700 }, met: true });
  });

  it('is null when no round has both', () => {
    expect(judge(target('speed', 1), [null], [measurement(1, 1)])).toBeNull();
  });
});

describe('verdictsOf', () => {
  it('leaves out targets whose subject was not measured', () => {
    const [whole] = resultsOf({ Headroom: [100, 110, 90], baseline: [100, 100, 100] }).cases;
    const [half] = resultsOf({ Headroom: [100] }).cases;
    expect(whole && verdictsOf(whole)).toHaveLength(1);
    expect(half && verdictsOf(half)).toEqual([]);
  });
});

describe('disturbanceNote', () => {
  it('says how much of the core others used, when it was more than a little', () => {
    expect(disturbanceNote(resultsOf({ Headroom: [100] }, 0.4))).toContain('40 %');
    expect(disturbanceNote(resultsOf({ Headroom: [100] }, 0.01))).toBeNull();
  });
});
