import { describe, expect, it } from 'vitest';
import { evaluateMetricMath, type Series } from './monitoring/metric-math.ts';

const nothing = undefined;
const evaluate = (expression: string, series: Readonly<Record<string, Series>> = {}): Series =>
  evaluateMetricMath(expression, new Map(Object.entries(series)), 3);

describe('metric math', () => {
  it.each<[string, Readonly<Record<string, Series>>, Series]>([
    // Tighter operators first, and from the left.
    ['1 + 2 * 3 - 4 / 2', {}, [5, 5, 5]],
    ['(1 + 2) * 3', {}, [9, 9, 9]],
    ['8 - 4 - 2', {}, [2, 2, 2]],
    ['100 * errors / requests', { errors: [1, 2, 0], requests: [4, 4, 4] }, [25, 50, 0]],
    // A time without a value of one of them has none in the result.
    ['a + b', { a: [1, nothing, 3], b: [1, 1, nothing] }, [2, nothing, nothing]],
    ['a >= 2', { a: [1, 2, nothing] }, [0, 1, nothing]],
    ['a < 2', { a: [1, 2, nothing] }, [1, 0, nothing]],
    ['FILL(a, 0)', { a: [1, nothing, 3] }, [1, 0, 3]],
    ['FILL(a, 0)', { a: [nothing, nothing, nothing] }, [0, 0, 0]],
    ['FILL(a, b)', { a: [1, nothing, nothing], b: [5, 6, nothing] }, [1, 6, nothing]],
    ['IF(a > 1, b, 0)', { a: [1, 2, nothing], b: [7, 8, 9] }, [0, 8, nothing]],
    ['IF(a, b, c)', { a: [0, 1, 1], b: [7, 8, nothing], c: [1, 1, 1] }, [1, 8, nothing]],
    // Of an array, what there is at each time.
    ['MAX([a, b])', { a: [1, nothing, nothing], b: [2, 3, nothing] }, [2, 3, nothing]],
    ['SUM([a, b])', { a: [1, nothing, nothing], b: [2, 3, nothing] }, [3, 3, nothing]],
    ['DIFF(a)', { a: [1, 4, 2] }, [nothing, 3, -2]],
    ['DIFF(a)', { a: [1, nothing, 2] }, [nothing, nothing, 1]],
    ['MAX([ABS(DIFF(a)), ABS(DIFF(b))])', { a: [1, 1, 0], b: [0, 0, 1] }, [nothing, 0, 1]],
    ['1 / 0 > 2', {}, [1, 1, 1]],
  ])('%s, of %j, is as documented', (expression, series, expected) => {
    expect(evaluate(expression, series)).toEqual(expected);
  });

  it.each([
    ['1 +', 'ends too early'],
    ['(1', 'takes ")"'],
    ['1 2', 'ends before "2"'],
    ['a ! b', 'has no "! b"'],
    ['missing + 1', 'no metric "missing"'],
    ['RATE(a)', 'RATE is not known'],
    ['MAX(a)', 'only of an array'],
    ['[a, a]', 'takes a number or a time series'],
  ])('%s, evaluated, is refused with the reason', (expression, reason) => {
    expect(() => evaluate(expression, { a: [1, 2, 3] })).toThrow(reason);
  });
});
