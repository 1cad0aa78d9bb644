import { type Bar, type BarChart, barChart } from '../../charts/bar-chart.ts';
import { lessIsBetter, type Measurement } from '../measurement.ts';
import { type BenchmarkResults, verdictsOf } from '../results.ts';
import { spread } from '../statistics.ts';
import { duration, number, ratio } from './format.ts';

/** A picture of the results. */
export interface Plot {
  readonly file: string;
  /** For those who cannot see it. */
  readonly description: string;
  readonly svg: string;
}

/** Told apart by light and dark as well as by hue. */
const COLOURS = {
  ours: '#1f5fbf',
  theirs: '#a9b4c2',
  met: '#2e7d4f',
  missed: '#c4511d',
} as const;

/** One bar for each subject of a case that has the quantity. */
function subjectBars(
  results: BenchmarkResults,
  caseName: string,
  quantity: (measurement: Measurement) => number | null | undefined,
  format: (value: number) => string,
): Bar[] {
  const found = results.cases.find(({ name }) => name === caseName);
  return Object.entries(found?.measurements ?? {}).flatMap(([label, rounds]) => {
    const values = rounds.flatMap((one) => (one === null ? [] : [quantity(one)]));
    const known = values.filter((value) => typeof value === 'number');
    if (known.length === 0) return [];
    const summary = spread(known);
    const colour = label.startsWith('Headroom') ? COLOURS.ours : COLOURS.theirs;
    return [{ label, spread: summary, colour, text: format(summary.median) }];
  });
}

/** Achieved in terms of what was asked for, so that all targets fit one axis and 1 meets each of them. */
function targetBars(results: BenchmarkResults): Bar[] {
  return results.cases.flatMap((one) =>
    verdictsOf(one).map(({ target, ratio: found, met }) => {
      const inverse = lessIsBetter(target.comparison);
      const achieved = (value: number) => (inverse ? target.bound / value : value / target.bound);
      const ends = [achieved(found.minimum), achieved(found.maximum)];
      return {
        label: `${one.name}: ${target.subject.startsWith('Headroom without') ? 'no near cache; ' : ''}${target.against.replace(/^Headroom, /, '')}`,
        spread: {
          median: achieved(found.median),
          minimum: Math.min(...ends),
          maximum: Math.max(...ends),
        },
        colour: met ? COLOURS.met : COLOURS.missed,
        text: `${(target.comparison === 'figure' ? number : ratio)(found.median)} (${inverse ? '≤' : '≥'} ${target.bound})`,
      };
    }),
  );
}

/** What reaches twice its target need not be seen to the end. */
const TARGETS_END = 2;
const SPREAD_NOTE = 'median of the rounds; the line goes from the least to the most';

/** All plots for which there are figures. */
export function drawPlots(results: BenchmarkResults): Plot[] {
  const targets = targetBars(results);
  const plots: Plot[] = [];
  if (targets.length > 0) {
    plots.push({
      file: 'targets.svg',
      description: 'For each target, what was achieved in terms of what was asked for.',
      svg: barChart({
        title: 'Targets: achieved ÷ asked for',
        subtitle: `1 and more meets the target; beside each bar the ratio and its target; ${SPREAD_NOTE}`,
        bars: targets,
        axis: number,
        mark: 1,
        end: TARGETS_END,
      }),
    });
  }
  for (const { name, title, operation } of results.cases) {
    const throughput = subjectBars(results, name, (one) => one.operationsPerSecond, number);
    const cpu = subjectBars(results, name, (one) => one.cpuMicrosecondsPerOperation, duration);
    const p99 = subjectBars(results, name, (one) => one.latency?.p99, duration);
    const add = (what: string, chart: Omit<BarChart, 'subtitle'>) => {
      if (chart.bars.length === 0) return;
      plots.push({
        file: `${name}-${what}.svg`,
        description: `${chart.title}.`,
        svg: barChart({ ...chart, subtitle: SPREAD_NOTE }),
      });
    };
    add('throughput', {
      title: `${title}: ${operation.many} a second`,
      bars: throughput,
      axis: number,
    });
    add('cpu', { title: `${title}: CPU time a ${operation.one}`, bars: cpu, axis: duration });
    add('p99', { title: `${title}: p99`, bars: p99, axis: duration });
  }
  return plots;
}
