import { describe, expect, it } from 'vitest';
import {
  earliestRefresh,
  refreshesEarly,
} from '../../../../services/user-api/cache/early-refresh.ts';

const END = 10_000;
const LOAD = 50;

describe('refreshesEarly', () => {
  it('of an entry that takes δ to load, draws δ × -ln(random) before the end', () => {
    // 1 - random is e^-1: the draw is one δ before the end.
    const random = () => 1 - Math.exp(-1);
    const draw = -LOAD * Math.log(1 - random());
    expect(draw).toBeCloseTo(LOAD);
    expect(refreshesEarly(END - draw - 0.001, END, LOAD, random)).toBe(false);
    expect(refreshesEarly(END - draw, END, LOAD, random)).toBe(true);
  });

  it('of half of the uses is true some 0.7 δ before the end, of none long before', () => {
    const uses = Array.from({ length: 1_000 });
    const share = (now: number) =>
      uses.filter(() => refreshesEarly(now, END, LOAD)).length / uses.length;
    expect(share(END - LOAD * Math.LN2)).toBeGreaterThan(0.4);
    expect(share(END - LOAD * Math.LN2)).toBeLessThan(0.6);
    expect(share(END - 100 * LOAD)).toBe(0);
    expect(share(END)).toBe(1);
  });

  it('is worth asking from where one draw in 10,000 lies', () => {
    const from = earliestRefresh(END, LOAD);
    expect(refreshesEarly(from + 0.001, END, LOAD, () => 1 - 1 / 10_000)).toBe(true);
    expect(refreshesEarly(from - 0.001, END, LOAD, () => 1 - 1 / 10_000)).toBe(false);
  });
});
