import type { Verdict } from '../comparison.ts';
import { lessIsBetter, type Measurement } from '../measurement.ts';
import type { CaseResults } from '../results.ts';
import type { Operation } from '../stage.ts';
import { median, type Spread, spread } from '../statistics.ts';
import { duration, number, percent, ratio, withSpread } from './format.ts';

/** The cells of the tables, for the terminal and for Markdown alike. */

export const targetHeadings = [
  'case',
  'subject',
  'compared with',
  'what',
  'target',
  'measured',
  'by throughput',
  'by CPU time',
  'met',
] as const;

export function targetRow(title: string, { target, ...verdict }: Verdict): string[] {
  const side = lessIsBetter(target.comparison) ? '≤' : '≥';
  const format = target.comparison === 'figure' ? number : ratio;
  const shown = (values: Spread | null) => (values === null ? '–' : withSpread(values, format));
  const speed = target.comparison === 'speed';
  return [
    title,
    target.subject,
    target.against,
    target.comparison,
    `${side} ${target.bound.toLocaleString('en')}${target.comparison === 'figure' ? '' : ' ×'}`,
    shown(verdict.ratio),
    speed ? shown(verdict.throughput) : '–',
    speed ? shown(verdict.cpu) : '–',
    verdict.met ? 'yes' : '**no**',
  ];
}

export const subjectHeadings = ({ one, many }: Operation) =>
  [
    'subject',
    `${many} a second`,
    `CPU time a ${one}`,
    'p50',
    'p99',
    'p99.9',
    'own core busy',
    'other cores busy',
    'disturbed by others',
  ] as const;

/** Nothing when all runs of the subject failed. */
export function subjectRow(name: string, rounds: readonly (Measurement | null)[]): string[] | null {
  const measurements = rounds.filter((one) => one !== null);
  if (measurements.length === 0) return null;
  const of = (quantity: (one: Measurement) => number | null | undefined) => {
    const values = measurements.map(quantity).filter((value) => typeof value === 'number');
    return values.length === 0 ? null : values;
  };
  const share = (quantity: (one: Measurement) => number | null) => {
    const values = of(quantity);
    return values === null ? '–' : percent(median(values));
  };
  const time = (quantity: (one: Measurement) => number | null | undefined) => {
    const values = of(quantity);
    return values === null ? '–' : withSpread(spread(values), duration);
  };
  return [
    name,
    withSpread(spread(measurements.map((one) => one.operationsPerSecond))),
    time((one) => one.cpuMicrosecondsPerOperation),
    time((one) => one.latency?.p50),
    time((one) => one.latency?.p99),
    time((one) => one.latency?.p999),
    share((one) => one.subjectBusy),
    share((one) => one.otherCoresBusy),
    share((one) => one.disturbance),
  ];
}

export function subjectRows({ measurements }: CaseResults): string[][] {
  return Object.entries(measurements).flatMap(([name, rounds]) => {
    const row = subjectRow(name, rounds);
    return row === null ? [] : [row];
  });
}

/** What was found of the subjects of a case besides the columns of its table: `subject: figure: value`. */
export function figureLines({ measurements }: CaseResults): string[] {
  return Object.entries(measurements).flatMap(([subject, rounds]) => {
    const figures = rounds.flatMap((one) => Object.entries(one?.figures ?? {}));
    return [...Map.groupBy(figures, ([name]) => name)].map(
      ([name, values]) =>
        `${subject}: ${name}: ${withSpread(spread(values.map(([, value]) => value)))}`,
    );
  });
}
