import { legend, linePanel } from '../../charts/line-panel.ts';
import { label, ON_WHITE, picture } from '../../charts/svg.ts';
import type { Machine } from '../machine.ts';
import { clock } from '../progress.ts';
import { table } from '../report/console.ts';
import { number } from '../report/format.ts';
import type { SoakFinding, SoakSample, SoakVerdict } from './judge.ts';

/** All that a soak found, as it is written to soak.json. */
export interface SoakResults {
  /** When it began, RFC 3339 in UTC. */
  readonly startedAt: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly requestsPerSecond: number;
  readonly peakRequestsPerSecond: number;
  readonly samples: readonly SoakSample[];
  /** Null when there were too few samples to judge. */
  readonly verdict: SoakVerdict | null;
}

const MEBIBYTE = 2 ** 20;
const mebibytes = (bytes: number) => `${number(bytes / MEBIBYTE)} MiB`;
const milliseconds = (value: number) => `${number(value)} ms`;

/** One line for an interval, as it is shown while the soak runs. */
export function sampleLine(sample: SoakSample): string {
  return [
    clock(sample.seconds).padStart(7),
    `${number(sample.requestsPerSecond)} requests/s`,
    `heap ${mebibytes(sample.heapBytes)}`,
    `RSS ${mebibytes(sample.rssBytes)}`,
    `reads p50 ${milliseconds(sample.readP50Milliseconds)} p99 ${milliseconds(sample.readP99Milliseconds)}`,
    `writes p50 ${milliseconds(sample.writeP50Milliseconds)}`,
    `event loop ${milliseconds(sample.eventLoopDelayP99Milliseconds)}`,
    ...(sample.failures === 0 ? [] : [`${sample.failures} FAILED`]),
  ].join('  ');
}

/** Up to this share of the core, the machine counts as quiet. */
const QUIET_SHARE = 0.03;

function disturbanceLine({ disturbance }: SoakVerdict): string[] {
  if (disturbance === null || disturbance <= QUIET_SHARE) return [];
  return [
    `Other processes used ${Math.round(disturbance * 100)} % of the server’s core: the machine was not quiet, and latency tells of them as well.`,
  ];
}

const headings = ['', 'median', 'growth', 'allowed', 'significance', 'passed'] as const;

function cellsOf({ name, unit, ...finding }: SoakFinding): string[] {
  return [
    name,
    `${number(finding.median)} ${unit}`,
    `${number(finding.growth)} ${unit}`,
    `${number(finding.allowed)} ${unit}`,
    finding.significance.toFixed(1),
    finding.passed ? 'yes' : '**no**',
  ];
}

export function verdictText(verdict: SoakVerdict): string {
  const rows = verdict.findings.map(cellsOf);
  return `${table(headings, rows)}\n${[summaryOf(verdict), ...disturbanceLine(verdict)].join('\n')}\n`;
}

function summaryOf({ failures, findings, passed }: SoakVerdict): string {
  if (passed) return 'Memory is flat, and latency does not grow.';
  const grown = findings.filter((finding) => !finding.passed).map(({ name }) => name);
  return [
    ...(grown.length === 0 ? [] : [`Growing: ${grown.join(', ')}.`]),
    ...(failures === 0 ? [] : [`${failures} requests failed.`]),
  ].join(' ');
}

/** The results as a part of a page. @param plot - where the plot is, from the page. */
export function soakMarkdown(results: SoakResults, plot: string): string {
  const { machine, requestsPerSecond, samples, verdict } = results;
  const minutes = (samples.at(-1)?.seconds ?? 0) / 60;
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `${number(minutes)} minutes at ${requestsPerSecond.toLocaleString('en')} requests a second, a third of the most that it answers; commit ${results.commit ?? 'unknown'}, ${results.startedAt.slice(0, 10)}; ${machine.processor}, ${machine.cores} cores.`,
    ...(verdict === null
      ? ['Too short to be judged.']
      : [
          `**${summaryOf(verdict)}**`,
          ...disturbanceLine(verdict),
          [
            row(['quantity', ...headings.slice(1)]),
            `|---|${'---:|'.repeat(headings.length - 1)}`,
            ...verdict.findings.map((finding) => row(cellsOf(finding))),
          ].join('\n'),
        ]),
    `![Memory, latency and delay of the event loop over the time of the soak.](${plot})`,
  ].join('\n\n');
}

const WIDTH = 860;
const LEFT = 56;
const PANEL_WIDTH = WIDTH - LEFT - 24;
const PANEL_HEIGHT = 190;
const PANEL_GAP = 62;
const TOP = 84;

interface Panel {
  readonly title: string;
  /** @default false */
  readonly logarithmic?: boolean;
  readonly lines: readonly {
    readonly name: string;
    readonly colour: string;
    readonly quantity: (sample: SoakSample) => number;
  }[];
}

const panels: readonly Panel[] = [
  {
    title: 'Memory after a collection, MiB',
    lines: [
      { name: 'resident', colour: '#8a97a8', quantity: ({ rssBytes }) => rssBytes / MEBIBYTE },
      { name: 'heap', colour: '#1f5fbf', quantity: ({ heapBytes }) => heapBytes / MEBIBYTE },
      {
        name: 'buffers outside',
        colour: '#2e7d4f',
        quantity: ({ externalBytes }) => externalBytes / MEBIBYTE,
      },
    ],
  },
  {
    title: 'Latency from when a request was due, ms',
    logarithmic: true,
    lines: [
      { name: 'reads p50', colour: '#1f5fbf', quantity: (sample) => sample.readP50Milliseconds },
      { name: 'reads p99', colour: '#7aa5e6', quantity: (sample) => sample.readP99Milliseconds },
      { name: 'writes p50', colour: '#c4511d', quantity: (sample) => sample.writeP50Milliseconds },
      { name: 'writes p99', colour: '#e6a07a', quantity: (sample) => sample.writeP99Milliseconds },
    ],
  },
  {
    title: 'Delay of the event loop, p99, ms',
    lines: [
      {
        name: 'event loop p99',
        colour: '#6b4fa0',
        quantity: (sample) => sample.eventLoopDelayP99Milliseconds,
      },
    ],
  },
];

/** A picture of the whole run, with the part that was not judged shaded. */
export function drawSoak({ requestsPerSecond, samples, verdict }: SoakResults): string {
  const topOf = (index: number) => TOP + index * (PANEL_HEIGHT + PANEL_GAP);
  const minutes = (seconds: number) => seconds / 60;
  const drawn = panels.map(({ lines: quantities, logarithmic = false, title }, index) => {
    const top = topOf(index);
    const lines = quantities.map(({ colour, name, quantity }) => ({
      name,
      colour,
      points: samples.map((sample) => [minutes(sample.seconds), quantity(sample)] as const),
    }));
    const notJudged =
      verdict === null ? [] : [{ from: 0, to: minutes(verdict.judgedFrom), fill: '#f1f3f6' }];
    return [
      label(title, { x: 52, y: top - 14, 'font-weight': 600 }),
      legend(lines, WIDTH - 24, top - 14, ON_WHITE),
      linePanel(
        {
          lines,
          left: LEFT,
          top,
          width: PANEL_WIDTH,
          height: PANEL_HEIGHT,
          end: minutes(samples.at(-1)?.seconds ?? 1),
          logarithmic,
          bands: notJudged,
          format: number,
        },
        ON_WHITE,
      ),
    ].join('');
  });
  const subtitle = `${requestsPerSecond.toLocaleString('en')} requests a second; minutes from left to right; what is shaded was not judged`;
  return picture(
    WIDTH,
    topOf(panels.length) - 20,
    ON_WHITE,
    [
      label('Soak: memory and latency over time', {
        x: 12,
        y: 24,
        'font-size': 16,
        'font-weight': 600,
      }),
      label(subtitle, { x: 12, y: 44, fill: ON_WHITE.faint }),
      ...drawn,
    ].join(''),
  );
}
