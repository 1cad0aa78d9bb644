import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalFailure } from '../../../services/local/local-failure.ts';
import { startGuardian } from '../../../services/local/process/guardian.ts';
import { allCases } from './cases/cases.ts';
import { planCores } from './cores.ts';
import { chooseGenerators } from './generators/choose.ts';
import { lessIsBetter } from './measurement.ts';
import type { Output } from './progress.ts';
import { consoleReport } from './report/console.ts';
import {
  lastResults,
  publish as publishResults,
  writeReport,
  writeResults,
} from './report/write.ts';
import type { BenchmarkResults } from './results.ts';
import { runBenchmark } from './run.ts';
import type { BenchmarkCase } from './stage.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const OUTPUT = join(repository, '.local/bench');

export interface BenchOptions {
  /** None: all cases. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly limitMinutes: number;
  /** Whether the figures are put into docs/performance.md. */
  readonly publish: boolean;
  readonly stream: Output;
  /** Ends it, with what there is. */
  readonly signal: AbortSignal;
}

/** What `--list` prints. */
function listCases(cases: readonly BenchmarkCase[]): string {
  return cases
    .map(({ name, title, subjects, targets }) =>
      [
        `${name}: ${title}`,
        `  measures ${subjects.join('; ')}`,
        ...targets.map(({ subject, against, comparison, bound }) => {
          if (comparison === 'figure') return `  ${against} of ${subject}: at most ${bound}`;
          const limit = lessIsBetter(comparison) ? 'at most' : 'at least';
          return `  ${comparison} of ${subject}: ${limit} ${bound} × ${against}`;
        }),
      ].join('\n'),
    )
    .join('\n');
}

function chooseCases(names: readonly string[]): readonly BenchmarkCase[] {
  const all = allCases(planCores().count);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

export function printCases(names: readonly string[], stream: Output): void {
  stream.write(`${listCases(chooseCases(names))}\n`);
}

/** Publishes what the last run has left, whole or not. */
export async function publishLast(stream: Output): Promise<void> {
  await publishIn(stream, await lastResults(OUTPUT));
}

/** @throws {@link LocalFailure} when something is missing on the machine, and when runs failed. */
export async function measureCases(options: BenchOptions): Promise<void> {
  const { rounds, seconds, warmUpSeconds, publish, stream } = options;
  const cases = chooseCases(options.names);
  const cores = planCores();
  const signal = AbortSignal.any([
    options.signal,
    AbortSignal.timeout(options.limitMinutes * 60_000),
  ]);
  const guardian = startGuardian();
  try {
    const generators = chooseGenerators(cores);
    const results = await runBenchmark({
      ...{ cases, rounds, seconds, warmUpSeconds, cores, generators, guardian, signal, stream },
      onResults: (soFar) => writeResults(OUTPUT, soFar),
    });
    stream.write(consoleReport(results));
    await writeReport(OUTPUT, results);
    stream.write(
      `\nWritten to ${relative(process.cwd(), OUTPUT) || '.'}: results.json, results.md and the plots\n`,
    );
    if (publish && !signal.aborted) await publishIn(stream, results);
    reportProblems(results, { aborted: signal.aborted, publish });
  } finally {
    await guardian.close();
  }
}

async function publishIn(stream: Output, results: BenchmarkResults): Promise<void> {
  const page = await publishResults(join(repository, 'docs'), results);
  stream.write(`Published in ${relative(process.cwd(), page)}\n`);
}

/** @throws {@link LocalFailure} when the figures are not whole. */
function reportProblems(
  { omissions }: BenchmarkResults,
  { aborted, publish }: { readonly aborted: boolean; readonly publish: boolean },
): void {
  if (omissions.some(({ failed }) => failed)) {
    throw new LocalFailure(
      'Some runs failed, so the figures are not whole; what was measured has been written.',
      'Read above what failed, mend it, and run the benchmark again.',
    );
  }
  if (publish && aborted) {
    throw new LocalFailure(
      'The benchmark was ended before it was through, so nothing was published.',
      'Run it again, with a longer --limit if it was the time that ended it; or publish what there is: npm run bench -- --publish-last.',
    );
  }
}
