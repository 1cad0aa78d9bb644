import { describe, expect, it } from 'vitest';
import { compositeState, type State, stateOf, type Treatment } from './monitoring/alarm-state.ts';

/** As in CloudWatch's documentation: `X` breaches, `0` does not, `-` is missing. */
const points = (text: string) =>
  text.split(' ').map((point) => ({ X: 2, '0': 0, '-': undefined })[point]);

const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
/** Stands for "the current state is kept". */
const kept = 'kept';
type Row = readonly [
  data: string,
  missing: State | typeof kept,
  ignore: State | typeof kept,
  breaching: State,
  notBreaching: State,
];

/** The rows of the documentation's tables (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html). */
const threeOfThree: readonly Row[] = [
  ['0 - X - X', 'OK', 'OK', 'OK', 'OK'],
  ['- - - - 0', 'OK', 'OK', 'OK', 'OK'],
  ['- - - - -', 'INSUFFICIENT_DATA', kept, 'ALARM', 'OK'],
  ['0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['- - X - -', 'ALARM', kept, 'ALARM', 'OK'],
];
const twoOfThree: readonly Row[] = [
  ['0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
  ['- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
];

function check(datapointsToAlarm: number, rows: readonly Row[]): void {
  const cases = rows.flatMap(([data, ...states]) =>
    treatments.map((treatment, index) => [data, treatment, states[index]] as const),
  );
  it.each(cases)(
    `of ${datapointsToAlarm} in 3, with %s and %s, is %s`,
    (data, treatment, state) => {
      for (const current of ['OK', 'ALARM'] as const) {
        const evaluation = {
          comparison: 'GreaterThanThreshold',
          threshold: 1,
          evaluationPeriods: 3,
          datapointsToAlarm,
          treatment: treatment satisfies Treatment,
        } as const;
        expect(stateOf(evaluation, points(data), current)).toBe(state === kept ? current : state);
      }
    },
  );
}

describe('the state of an alarm', () => {
  check(3, threeOfThree);
  check(2, twoOfThree);

  it.each([
    ['GreaterThanThreshold', 'OK'],
    ['GreaterThanOrEqualToThreshold', 'ALARM'],
    ['LessThanThreshold', 'OK'],
    ['LessThanOrEqualToThreshold', 'ALARM'],
  ] as const)('by %s, just at the threshold, is %s', (comparison, state) => {
    const evaluation = {
      comparison,
      threshold: 5,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      treatment: 'notBreaching',
    } as const;
    expect(stateOf(evaluation, [5], 'OK')).toBe(state);
  });
});

describe('the state of a composite alarm', () => {
  const states = new Map<string, State>([
    ['a', 'ALARM'],
    ['b', 'OK'],
  ]);

  it.each([
    ['ALARM("a") OR ALARM("b")', 'ALARM'],
    ['ALARM("a") AND ALARM("b")', 'OK'],
    ['ALARM("b")', 'OK'],
  ])('of %s, with only a going off, is %s', (rule, state) => {
    expect(compositeState(rule, states)).toBe(state);
  });

  it.each(['ALARM("a") AND ALARM("b") OR ALARM("a")', 'OK("a")', 'ALARM("c")'])(
    'of %s, evaluated, is refused',
    (rule) => {
      expect(() => compositeState(rule, states)).toThrow('The rule');
    },
  );
});
