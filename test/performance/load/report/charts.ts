import { number } from '../../bench/report/format.ts';
import {
  type Band,
  type Line,
  legend,
  legendWidth,
  linePanel,
  type Points,
} from '../../charts/line-panel.ts';
import { type Colours, label, picture } from '../../charts/svg.ts';
import type { RunResult } from '../run.ts';
import type { Second } from '../timeline.ts';
import { cacheShares } from './cache-shares.ts';

/** One plot of the report, or the reason why there is none. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What the plot shows, in a sentence. */
  readonly description: string;
  readonly svg: string | null;
  /** What is read at the pointer: a line for each. */
  readonly lines: readonly Pick<Line, 'name' | 'points'>[];
  /** Shown in place of the plot. */
  readonly missing?: string;
}

/** Good and bad outcomes differ in lightness as well as in hue, on light and on dark pages. */
const COLOURS = {
  succeeded: '#2f7fd6',
  limited: '#e0a11b',
  refused: '#d9702b',
  errors: '#c0333f',
  failed: '#7d4fb3',
} as const;
const LINES = ['#5fb0a5', '#2f7fd6', '#d9702b', '#c0333f', '#7d4fb3', '#8a9199'] as const;
/** Of the page, light or dark. */
const ON_PAGE: Colours = { text: 'currentColor', faint: 'var(--faint)', grid: 'var(--line)' };
/** In pixels; report.ts reads values at the pointer by the same. */
export const PLOT = {
  width: 1_040,
  height: 300,
  left: 64,
  right: 20,
  top: 56,
  bottom: 44,
} as const;

const rounded = (value: number) => Number(value.toPrecision(4));

function pointsOf(
  seconds: readonly Second[],
  value: (second: Second, index: number) => number | null | undefined,
): Points {
  return seconds.map((second, index) => {
    const found = value(second, index);
    return [rounded(second.at), typeof found === 'number' ? rounded(found) : null];
  });
}

/** The phases as bands behind the lines, with their names above. */
function phaseBands({ phases }: RunResult): Band[] {
  if (phases.length < 2) return [];
  return phases.map(({ name, from, to }, index) => ({
    name,
    from,
    to,
    fill: index % 2 === 0 ? 'transparent' : 'rgba(128,128,128,0.10)',
  }));
}

interface LineChart {
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Whether the axis is logarithmic. @default false */
  readonly logarithmic?: boolean;
  readonly maximum?: number;
}

/** Where the horizontal axis of every plot ends, in seconds. */
export const endOf = (result: RunResult) => Math.ceil(result.seconds.at(-1)?.at ?? 1);

function lineChart(
  result: RunResult,
  { unit, lines, logarithmic = false, maximum }: LineChart,
): Pick<Chart, 'svg' | 'lines'> {
  const { bottom, height, left, right, top, width } = PLOT;
  const panel = linePanel(
    {
      lines,
      left,
      top,
      width: width - left - right,
      height: height - top - bottom,
      end: endOf(result),
      logarithmic,
      ...(maximum !== undefined && { maximum }),
      bands: phaseBands(result),
      format: number,
    },
    ON_PAGE,
  );
  const seconds = { x: width / 2, y: height - 6, fill: ON_PAGE.faint, 'text-anchor': 'middle' };
  const content = [
    legend(lines, left + legendWidth(lines), 16, ON_PAGE),
    label(unit, { x: 0, y: top - 14, fill: ON_PAGE.faint }),
    panel,
    label('seconds', seconds),
  ].join('');
  return { lines, svg: picture(width, height, ON_PAGE, content) };
}

const NO_PLOT = { svg: null, lines: [] } as const;

function throughputChart(result: RunResult): Chart {
  const names = {
    succeeded: 'answered well',
    limited: 'limited (429)',
    refused: 'refused (other 4xx)',
    errors: 'errors (5xx)',
    failed: 'without a response',
  } as const;
  const kinds = (Object.keys(names) as (keyof typeof names)[]).filter(
    (kind) => kind === 'succeeded' || result.outcomes[kind] > 0,
  );
  return {
    id: 'throughput',
    title: 'Requests a second',
    description: 'Answers in each second, by how they ended.',
    ...lineChart(result, {
      unit: 'requests/s',
      lines: kinds.map((kind) => ({
        name: names[kind],
        colour: COLOURS[kind],
        stacked: true,
        points: pointsOf(result.seconds, ({ outcomes, length }) => outcomes[kind] / length),
      })),
    }),
  };
}

function latencyChart(result: RunResult): Chart {
  const percentiles = [
    ['p50', 'p50'],
    ['p95', 'p95'],
    ['p99', 'p99'],
    ['maximum', 'longest'],
  ] as const;
  return {
    id: 'latency',
    title: 'Latency',
    description:
      'Percentiles of each second. The scale is logarithmic: each line up is ten times as long.',
    ...lineChart(result, {
      unit: 'ms',
      logarithmic: true,
      lines: percentiles.map(([percentile, name], index) => ({
        name,
        colour: LINES[index] ?? LINES[0],
        points: pointsOf(result.seconds, ({ latency }) => latency?.[percentile]),
      })),
    }),
  };
}

/** The keys that `pick` finds in any second, in the order in which they come up. */
function keysOf(
  seconds: readonly Second[],
  pick: (second: Second) => object | undefined,
): string[] {
  return [...new Set(seconds.flatMap((second) => Object.keys(pick(second) ?? {})))];
}

function cacheChart(result: RunResult): Chart {
  const shares = cacheShares(result.seconds);
  const layers = [...(shares[0]?.percent.keys() ?? [])];
  return {
    id: 'cache',
    title: 'Where reads were answered',
    description: 'Share of the reads that each layer answered.',
    ...(layers.length === 0
      ? NO_PLOT
      : lineChart(result, {
          unit: '%',
          maximum: 100,
          lines: layers.map((layer, index) => ({
            name: layer,
            colour: LINES[index % LINES.length] ?? LINES[0],
            stacked: true,
            points: shares.map(({ at, percent }) => [
              rounded(at),
              rounded(percent.get(layer) ?? 0),
            ]),
          })),
        })),
  };
}

function poolChart(result: RunResult): Chart {
  const pools = keysOf(result.seconds, ({ metrics }) => metrics?.pools);
  const lines = pools.flatMap((pool, index): Line[] => {
    const colour = LINES[index % LINES.length] ?? LINES[0];
    const of = (quantity: 'queries' | 'connections') =>
      pointsOf(result.seconds, ({ metrics }) => metrics?.pools[pool]?.[quantity]);
    return [
      { name: `${pool}: queries`, colour, points: of('queries') },
      { name: `${pool}: connections at most`, colour, points: of('connections'), dashed: true },
    ];
  });
  return {
    id: 'pools',
    title: 'Database pools',
    description:
      'Queries that run or wait for a connection, and the most connections of each pool: above that line, some wait.',
    ...(pools.length === 0 ? NO_PLOT : lineChart(result, { unit: 'queries', lines })),
  };
}

function queueChart(result: RunResult): Chart {
  const places = keysOf(result.seconds, ({ metrics }) => metrics?.waitingEvents);
  const lines = places.map((place, index) => ({
    name: place,
    colour: LINES[index % LINES.length] ?? LINES[0],
    points: pointsOf(result.seconds, ({ metrics }) => metrics?.waitingEvents[place]),
  }));
  return {
    id: 'events',
    title: 'Waiting events',
    description: 'Events that wait to be sent to the queue.',
    ...(places.length === 0 ? NO_PLOT : lineChart(result, { unit: 'events', lines })),
  };
}

/** @param metricsUrl - where the service was asked for its metrics, if it was. */
export function chartsOf(result: RunResult, metricsUrl: string | undefined): Chart[] {
  const missing =
    metricsUrl === undefined
      ? 'Not available: the service was not asked for its metrics. Name its metrics endpoint with --metrics-url or METRICS_URL.'
      : `Not available: ${metricsUrl} did not tell.`;
  return [
    throughputChart(result),
    latencyChart(result),
    ...[cacheChart(result), poolChart(result), queueChart(result)].map((chart) =>
      chart.svg === null ? { ...chart, missing } : chart,
    ),
  ];
}
