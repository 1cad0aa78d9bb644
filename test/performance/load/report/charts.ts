import type { EChartsOption, LineSeriesOption } from 'echarts';
import type { RunResult } from '../run.ts';
import type { Second } from '../timeline.ts';
import { cacheShares } from './cache-shares.ts';

/** One plot of the report, or the reason why there is none. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What the plot shows, in a sentence. */
  readonly description: string;
  readonly option: EChartsOption | null;
  /** Shown in place of the plot. */
  readonly missing?: string;
}

type Points = readonly (readonly [at: number, value: number | null])[];

/** Good and bad outcomes differ in lightness as well as in hue, on light and on dark pages. */
const COLOURS = {
  succeeded: '#2f7fd6',
  limited: '#e0a11b',
  refused: '#d9702b',
  errors: '#c0333f',
  failed: '#7d4fb3',
} as const;
const LINES = ['#5fb0a5', '#2f7fd6', '#d9702b', '#c0333f', '#7d4fb3', '#8a9199'] as const;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

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
function phaseBands({ phases }: RunResult): NonNullable<LineSeriesOption['markArea']> {
  if (phases.length < 2) return {};
  return {
    silent: true,
    label: { position: 'top', distance: 4, fontSize: 11, color: '#8a9199' },
    data: phases.map(({ name, from, to }, index) => [
      {
        name,
        xAxis: rounded(from),
        itemStyle: { color: index % 2 === 0 ? 'transparent' : 'rgba(128,128,128,0.10)' },
      },
      { xAxis: rounded(to) },
    ]),
  };
}

interface Line {
  readonly name: string;
  readonly points: Points;
  readonly colour: string;
  /** For a bound, rather than something that happens. */
  readonly dashed?: boolean;
  /** Lines of one stack are put on top of each other, as areas. */
  readonly stacked?: boolean;
}

interface LineChart {
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Whether the axis is logarithmic. @default false */
  readonly logarithmic?: boolean;
  readonly maximum?: number;
}

function lineChart(
  result: RunResult,
  { unit, lines, logarithmic, maximum }: LineChart,
): EChartsOption {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT },
    grid: { left: 64, right: 20, top: 56, bottom: 44 },
    legend: { type: 'scroll', top: 4, left: 56, itemWidth: 24, itemHeight: 10, itemGap: 16 },
    tooltip: { trigger: 'axis', confine: true },
    xAxis: {
      type: 'value',
      name: 'seconds',
      nameLocation: 'middle',
      nameGap: 26,
      min: 0,
      max: Math.ceil(result.seconds.at(-1)?.at ?? 1),
      splitLine: { show: false },
    },
    yAxis: {
      type: logarithmic === true ? 'log' : 'value',
      name: unit,
      nameTextStyle: { align: 'right' },
      ...(maximum !== undefined && { max: maximum }),
      splitLine: { lineStyle: { opacity: 0.35 } },
    },
    series: lines.map(
      ({ name, points, colour, stacked, dashed }, index): LineSeriesOption => ({
        name,
        type: 'line',
        // Without one, the legend shows the line as it is, dashed or not.
        symbol: points.length < 3 ? 'circle' : 'none',
        // A second without a sample is no gap in what the service did.
        connectNulls: true,
        lineStyle: {
          width: stacked === true || dashed === true ? 1 : 2,
          type: dashed === true ? 'dashed' : 'solid',
          color: colour,
        },
        itemStyle: { color: colour },
        ...(stacked === true && { stack: 'all', areaStyle: { color: colour, opacity: 0.75 } }),
        data: points.map(([at, value]) => [at, value]),
        ...(index === 0 && { markArea: phaseBands(result) }),
      }),
    ),
  };
}

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
    option: lineChart(result, {
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
    option: lineChart(result, {
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
    option:
      layers.length === 0
        ? null
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
          }),
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
    option: pools.length === 0 ? null : lineChart(result, { unit: 'queries', lines }),
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
    option: places.length === 0 ? null : lineChart(result, { unit: 'events', lines }),
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
      chart.option === null ? { ...chart, missing } : chart,
    ),
  ];
}
