import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { LocalFailure } from '../../services/local/local-failure.ts';
import { startGuardian } from '../../services/local/process/guardian.ts';
import { allCases } from './cases/cases.ts';
import { planCores } from './cores.ts';
import { chooseGenerators } from './generators/choose.ts';
import { lessIsBetter } from './measurement.ts';
import type { Output } from './progress.ts';
import { consoleReport } from './report/console.ts';
import { lastResults, publish, writeReport, writeResults } from './report/write.ts';
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

function usage(cases: readonly BenchmarkCase[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return `Usage: npm run bench -- [options] [case …]
       npm run bench -- soak [--minutes <minutes>] [--publish]

Measures the user API beside the least code that gives the same answers, and beside the same on other frameworks, in turn on the
same core. Writes a table, results.json and plots to .local/bench. Without a case: all of them.

Cases
${cases.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n')}

  ${'soak'.padEnd(width)}  loads the API for a long time, at a third of what it can do, and judges whether memory is flat and latency does
  ${''.padEnd(width)}  not grow; by itself, not together with others

Options
  --rounds <count>         how often each is measured, default ${DEFAULT_ROUNDS}
  --seconds <seconds>      how long each run measures, default ${DEFAULT_SECONDS}
  --warm-up <seconds>      how long each server is loaded before, default ${DEFAULT_WARM_UP_SECONDS}, or --seconds if that is less
  --limit <minutes>        ends by itself after so long, with what there is; default ${DEFAULT_LIMIT_MINUTES}
  --minutes <minutes>      how long a soak goes on, default ${DEFAULT_SOAK_MINUTES}
  --publish                puts the figures into docs/performance.md, too
  --publish-last           measures nothing; publishes what the last run left in .local/bench, whole or not
  --list                   lists the cases with what they compare, and their targets
  --help

Quick look:  npm run bench -- --rounds 1 --seconds 1 hit
`;
}

function wholeNumber(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new LocalFailure(
    `--${name} got "${text}"; it takes a whole number from 1 to 99999.`,
    `For example: npm run bench -- --${name} ${standard}.`,
  );
}

function chooseCases(names: readonly string[], cases: readonly BenchmarkCase[]) {
  const known = cases.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new LocalFailure(
      `There is no case "${name}"; there are ${known.join(', ')}.`,
      `Did you mean ${closest(name, known)}? npm run bench -- --help describes them.`,
    );
  }
  return names.length === 0 ? cases : cases.filter(({ name }) => names.includes(name));
}

function parse(commandLine: readonly string[]) {
  try {
    return parseArgs({
      args: [...commandLine],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        limit: { type: 'string' },
        minutes: { type: 'string' },
        publish: { type: 'boolean', default: false },
        'publish-last': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LocalFailure(reason, 'See npm run bench -- --help for the options there are.');
  }
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
  const { values, positionals } = parse(commandLine);
  const cores = planCores();
  const all = allCases(cores.count);
  if (values.help) {
    stream.write(usage(all));
    return;
  }
  if (positionals.length === 1 && positionals[0] === SOAK) {
    const minutes = wholeNumber('minutes', values.minutes, DEFAULT_SOAK_MINUTES);
    await soak({ minutes, publish: values.publish, stream, signal: stopAsked });
    return;
  }
  const cases = chooseCases(positionals, all);
  if (values.list) {
    stream.write(`${listCases(cases)}\n`);
    return;
  }
  if (values['publish-last']) {
    await publishIn(stream, await lastResults(OUTPUT));
    return;
  }
  const seconds = wholeNumber('seconds', values.seconds, DEFAULT_SECONDS);
  const rounds = wholeNumber('rounds', values.rounds, DEFAULT_ROUNDS);
  const standardWarmUp = Math.min(DEFAULT_WARM_UP_SECONDS, seconds);
  const warmUpSeconds = wholeNumber('warm-up', values['warm-up'], standardWarmUp);
  const limitMinutes = wholeNumber('limit', values.limit, DEFAULT_LIMIT_MINUTES);
  const signal = AbortSignal.any([stopAsked, AbortSignal.timeout(limitMinutes * 60_000)]);

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
    if (values.publish && !signal.aborted) await publishIn(stream, results);
    reportProblems(results, { aborted: signal.aborted, publish: values.publish });
  } finally {
    await guardian.close();
  }
}

async function publishIn(stream: Output, results: BenchmarkResults): Promise<void> {
  const page = await publish(join(repository, 'docs'), results);
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
