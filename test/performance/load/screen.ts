import { styleText } from 'node:util';
import type { RunResult } from './run.ts';
import { type Outcomes, type Percentiles, type Second, totalOf } from './timeline.ts';

/** Where the load test writes to: a terminal, or something else that takes text. */
export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

/** Shows how a load test goes: one line that changes, with the last seconds as a little plot; a line for each second elsewhere. */
export interface Screen {
  line(text: string): void;
  /** Something that the reader must not miss. */
  warn(text: string): void;
  second(second: Second): void;
  summary(result: RunResult): void;
}

const BLOCKS = '▁▂▃▄▅▆▇█';
/** Seconds in the little plot. */
const PLOT_SECONDS = 24;

/** Values as a row of blocks, the largest being the highest. */
export function sparkline(values: readonly number[]): string {
  const largest = Math.max(...values, 1);
  return values
    .map((value) => BLOCKS[Math.round((value / largest) * (BLOCKS.length - 1))] ?? ' ')
    .join('');
}

export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '–';
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ms`;
}

function latencies(latency: Percentiles | null): string {
  return `p50 ${milliseconds(latency?.p50)}  p99 ${milliseconds(latency?.p99)}`;
}

/** What did not go well, by kind; nothing when all went well. */
export function troubles(outcomes: Outcomes): string {
  const kinds: readonly (readonly [number, string])[] = [
    [outcomes.limited, 'limited (429)'],
    [outcomes.refused, 'refused (4xx)'],
    [outcomes.errors, 'errors (5xx)'],
    [outcomes.failed, 'without a response'],
  ];
  return kinds
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count.toLocaleString('en')} ${name}`)
    .join(', ');
}

export function createScreen(stream: Output, totalSeconds: number): Screen {
  const coloured = stream.isTTY && (process.env.NO_COLOR ?? '') === '';
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    coloured ? styleText(format, text) : text;
  const throughputs: number[] = [];
  const clear = () => {
    if (stream.isTTY) stream.write('\r\x1b[2K');
  };
  const line = (text: string) => {
    clear();
    stream.write(`${text}\n`);
  };
  return {
    line,
    warn: (text) => line(style('yellow', `NOTE: ${text}`)),
    second({ at, phase, connections, length, outcomes, latency }) {
      const throughput = totalOf(outcomes) / length;
      throughputs.push(throughput);
      if (throughputs.length > PLOT_SECONDS) throughputs.shift();
      const bad = troubles(outcomes);
      const text = [
        `${Math.round(at)}/${Math.round(totalSeconds)} s`.padStart(9),
        `${phase}, ${connections} connections`,
        `${Math.round(throughput).toLocaleString('en')} requests/s`,
        latencies(latency),
        ...(bad === '' ? [] : [bad]),
      ].join('  ');
      if (!stream.isTTY) {
        line(text);
        return;
      }
      clear();
      stream.write(`${sparkline(throughputs)} ${text}`.slice(0, (stream.columns ?? 80) - 1));
    },
    summary({ phases, outcomes, latency }) {
      clear();
      line('');
      for (const phase of phases) {
        const throughput = totalOf(phase.outcomes) / (phase.to - phase.from);
        const bad = troubles(phase.outcomes);
        line(
          `  ${phase.name.padEnd(14)}${Math.round(throughput).toLocaleString('en').padStart(8)} requests/s  ${latencies(phase.latency)}${bad === '' ? '' : `  ${bad}`}`,
        );
      }
      const bad = troubles(outcomes);
      line('');
      line(
        `  ${style('bold', `${totalOf(outcomes).toLocaleString('en')} requests`)}, ${latencies(latency)}, p99.9 ${milliseconds(latency?.p999)}${bad === '' ? ', all answered well' : `; ${bad}`}`,
      );
    },
  };
}
