import { type EChartsOption, init, type SeriesOption } from 'echarts';
import { lessIsBetter, type Measurement } from '../measurement.ts';
import { type BenchmarkResults, verdictsOf } from '../results.ts';
import { type Spread, spread } from '../statistics.ts';
import { duration, number, ratio } from './format.ts';

/** A picture of the results. */
export interface Plot {
  readonly file: string;
  /** For those who cannot see it. */
  readonly description: string;
  readonly svg: string;
}

/** One bar, with how far the rounds lie apart. */
interface Bar {
  readonly label: string;
  readonly spread: Spread;
  readonly colour: string;
  readonly text: string;
}

interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly bars: readonly Bar[];
  readonly axis: (value: number) => string;
  /** A line to compare with. @default none */
  readonly mark?: number;
  /** Where the axis ends; what is longer is cut there, so that it does not dwarf the others. @default the longest */
  readonly end?: number;
}

const WIDTH = 860;
const BAR_HEIGHT = 30;
const FRAME_HEIGHT = 110;
const LABEL_WIDTH = 310;
const RIGHT_WIDTH = 120;
/** Told apart by light and dark as well as by hue, on white, which the picture brings along for dark pages. */
const COLOURS = {
  ours: '#1f5fbf',
  theirs: '#a9b4c2',
  met: '#2e7d4f',
  missed: '#c4511d',
  text: '#1b1f24',
  faint: '#5b6470',
  line: '#1b1f24',
} as const;
// Without double quotes: echarts puts it into an attribute as it is.
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const WHISKER_HALF_HEIGHT = 5;

/** A line from the least to the most of the rounds, with a stroke at each end. */
function whiskers(bars: readonly Bar[]): SeriesOption {
  return {
    type: 'custom',
    silent: true,
    z: 3,
    data: bars.map(({ spread: { minimum, maximum } }, index) => [minimum, maximum, index]),
    encode: { x: [0, 1], y: 2 },
    renderItem: (_, api) => {
      const [left = 0, y = 0] = api.coord([api.value(0), api.value(2)]);
      const [right = 0] = api.coord([api.value(1), api.value(2)]);
      const style = { stroke: COLOURS.line, lineWidth: 1.2 };
      const line = (x1: number, y1: number, x2: number, y2: number) =>
        ({ type: 'line', shape: { x1, y1, x2, y2 }, style }) as const;
      return {
        type: 'group',
        children: [
          line(left, y, right, y),
          line(left, y - WHISKER_HALF_HEIGHT, left, y + WHISKER_HALF_HEIGHT),
          line(right, y - WHISKER_HALF_HEIGHT, right, y + WHISKER_HALF_HEIGHT),
        ],
      };
    },
  };
}

function barChart({ title, subtitle, axis, mark, end, ...whole }: BarChart): string {
  const longest = Math.max(...whole.bars.map(({ spread: { maximum } }) => maximum), mark ?? 0);
  const largest = Math.min(longest, end ?? longest) * 1.02;
  const cut = (value: number) => Math.min(value, largest);
  const bars = whole.bars.map((bar) => {
    const { minimum, median, maximum } = bar.spread;
    return {
      ...bar,
      spread: { minimum: cut(minimum), median: cut(median), maximum: cut(maximum) },
    };
  });
  const option: EChartsOption = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: FONT, color: COLOURS.text },
    title: {
      text: title,
      subtext: subtitle,
      left: 12,
      top: 8,
      textStyle: { fontSize: 16, fontWeight: 600, color: COLOURS.text },
      subtextStyle: { fontSize: 12, color: COLOURS.faint },
    },
    grid: { left: LABEL_WIDTH, right: RIGHT_WIDTH, top: 68, bottom: 30 },
    xAxis: {
      type: 'value',
      max: largest,
      axisLabel: { formatter: axis, color: COLOURS.faint, showMaxLabel: false },
      splitLine: { lineStyle: { color: '#e6e9ed' } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ label }) => label),
      axisTick: { show: false },
      axisLabel: { color: COLOURS.text, width: LABEL_WIDTH - 24, overflow: 'truncate' },
    },
    series: [
      {
        type: 'bar',
        barWidth: '62%',
        data: bars.map(({ spread: { median, maximum }, colour, text }) => ({
          value: median,
          itemStyle: { color: colour, borderRadius: [0, 2, 2, 0] },
          label: {
            show: true,
            position: 'insideLeft',
            // Behind the whisker, whose end may lie far beyond that of the bar.
            offset: [(maximum / largest) * (WIDTH - LABEL_WIDTH - RIGHT_WIDTH) + 4, 0],
            formatter: text,
            color: COLOURS.text,
            backgroundColor: '#ffffff',
            padding: [1, 3],
          },
        })),
        ...(mark !== undefined && {
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: COLOURS.text, type: 'dashed', width: 1.2 },
            label: { show: false },
            data: [{ xAxis: mark }],
          },
        }),
      },
      whiskers(bars),
    ],
  };
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: FRAME_HEIGHT + bars.length * BAR_HEIGHT,
  });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

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
