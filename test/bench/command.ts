import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { unknownName } from '../../lib/config/configuration-error.ts';
import { LocalFailure } from '../../services/local/local-failure.ts';
import { parseCommandLine } from '../../services/local/parse-command-line.ts';
import { startGuardian } from '../../services/local/process/guardian.ts';
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
import { soak } from './soak/command.ts';
import type { BenchmarkCase } from './stage.ts';

const DEFAULT_ROUNDS = 5;
const DEFAULT_SECONDS = 5;
const DEFAULT_WARM_UP_SECONDS = 4;
const DEFAULT_LIMIT_MINUTES = 60;
const DEFAULT_SOAK_MINUTES = 10;
const SOAK = 'soak';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const OUTPUT = join(repository, '.local/bench');

function details(cases: readonly BenchmarkCase[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return `
Cases
${cases.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n')}

  ${SOAK.padEnd(width)}  loads the API for a long time, at a third of what it can do, and judges whether memory is flat and latency does
  ${''.padEnd(width)}  not grow; by itself, not together with others

Quick look:  npm run bench -- --rounds 1 --seconds 1 hit`;
}

/** Reads a whole number; `example` is one. */
function wholeNumber(name: string, example: number) {
  return (text: string): number => {
    if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
    throw new LocalFailure(
      `--${name} got "${text}"; it takes a whole number from 1 to 99999.`,
      `For example: npm run bench -- --${name} ${example}.`,
    );
  };
}

function chooseCases(names: readonly string[], cases: readonly BenchmarkCase[]) {
  const known = cases.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new LocalFailure(
      unknownName('case', name, known),
      'npm run bench -- --help describes them.',
    );
  }
  return names.length === 0 ? cases : cases.filter(({ name }) => names.includes(name));
}

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp?: number;
  readonly limit: number;
  readonly minutes: number;
  readonly publish: boolean;
  readonly publishLast: boolean;
  readonly list: boolean;
}

function createCommand(cases: readonly BenchmarkCase[]): Command {
  const count = (flag: string, unit: string, what: string, standard: number) =>
    [`--${flag} <${unit}>`, what, wholeNumber(flag, standard), standard] as const;
  return new Command('npm run bench --')
    .description(
      `Measures the user API beside the least code that gives the same answers, and beside the same on other frameworks, in turn on the
same core. Writes a table, results.json and plots to .local/bench.`,
    )
    .argument('[cases...]', `of those below, or ${SOAK} alone (default: all cases)`)
    .option(...count('rounds', 'count', 'how often each is measured', DEFAULT_ROUNDS))
    .option(...count('seconds', 'seconds', 'how long each run measures', DEFAULT_SECONDS))
    .option(
      '--warm-up <seconds>',
      `how long each server is loaded before (default: ${DEFAULT_WARM_UP_SECONDS}, or --seconds if that is less)`,
      wholeNumber('warm-up', DEFAULT_WARM_UP_SECONDS),
    )
    .option(
      ...count(
        'limit',
        'minutes',
        'ends by itself after so long, with what there is',
        DEFAULT_LIMIT_MINUTES,
      ),
    )
    .option(...count('minutes', 'minutes', 'how long a soak goes on', DEFAULT_SOAK_MINUTES))
    .option('--publish', 'puts the figures into docs/performance.md, too', false)
    .option(
      '--publish-last',
      'measures nothing; publishes what the last run left in .local/bench, whole or not',
      false,
    )
    .option('--list', 'lists the cases with what they compare, and their targets', false)
    .addHelpText('after', details(cases));
}

/** What `--list` prints. */
export function listCases(cases: readonly BenchmarkCase[]): string {
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

/**
 * `npm run bench`.
 *
 * @param stopAsked - ends it, with what there is.
 * @throws {@link LocalFailure} for a command line that cannot be understood, when something is missing on the machine, and when
 * runs failed.
 */
export async function bench(
  commandLine: readonly string[],
  stream: Output,
  stopAsked: AbortSignal,
): Promise<void> {
  const cores = planCores();
  const all = allCases(cores.count);
  const command = createCommand(all);
  const help = parseCommandLine(command, commandLine);
  if (help !== null) {
    stream.write(help);
    return;
  }
  const names = command.args;
  const values = command.opts<Options>();
  const { seconds, rounds, minutes, publish } = values;
  if (names.length === 1 && names[0] === SOAK) {
    await soak({ minutes, publish, stream, signal: stopAsked });
    return;
  }
  const cases = chooseCases(names, all);
  if (values.list) {
    stream.write(`${listCases(cases)}\n`);
    return;
  }
  if (values.publishLast) {
    await publishIn(stream, await lastResults(OUTPUT));
    return;
  }
  const warmUpSeconds = values.warmUp ?? Math.min(DEFAULT_WARM_UP_SECONDS, seconds);
  const signal = AbortSignal.any([stopAsked, AbortSignal.timeout(values.limit * 60_000)]);

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
