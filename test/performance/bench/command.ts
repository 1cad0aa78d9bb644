import { Command } from 'commander';
import { unknownName } from '../../../lib/config/configuration-error.ts';
import { LocalFailure } from '../../../services/local/local-failure.ts';
import { parseCommandLine } from '../../../services/local/parse-command-line.ts';
import type { Output } from './progress.ts';

const DEFAULT_ROUNDS = 5;
const DEFAULT_SECONDS = 5;
const DEFAULT_WARM_UP_SECONDS = 4;
const DEFAULT_LIMIT_MINUTES = 60;
const DEFAULT_SOAK_MINUTES = 10;
const SOAK = 'soak';

/** Those of `cases/cases.ts`, in the order of the table; a test compares them. */
export const caseNames: readonly string[] = [
  ...['hit', 'not-modified', 'redis-hit', 'miss', 'list', 'create'],
  ...['open-loop', 'scaling', 'memory', 'worker', 'worker-ses', 'synth'],
];

const DETAILS = `
${SOAK} loads the API for a long time, at a third of what it can do, and judges whether memory is flat and latency does not grow;
by itself, not together with others.

Quick look:  npm run bench -- --rounds 1 --seconds 1 hit`;

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

function requireCaseNames(names: readonly string[]): void {
  for (const name of names) {
    if (caseNames.includes(name)) continue;
    throw new LocalFailure(
      unknownName('case', name, caseNames),
      'npm run bench -- --list describes them.',
    );
  }
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

function createCommand(): Command {
  const count = (flag: string, unit: string, what: string, standard: number) =>
    [`--${flag} <${unit}>`, what, wholeNumber(flag, standard), standard] as const;
  return new Command('npm run bench --')
    .description(
      `Measures the user API beside the least code that gives the same answers, and beside the same on other frameworks, in turn on the
same core. Writes a table, results.json and plots to .local/bench.`,
    )
    .argument(
      '[cases...]',
      `of ${caseNames.join(', ')} (default: all of them; --list describes them), or ${SOAK} alone`,
    )
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
    .addHelpText('after', DETAILS);
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
  const command = createCommand();
  const help = parseCommandLine(command, commandLine);
  if (help !== null) {
    stream.write(help);
    return;
  }
  const values = command.opts<Options>();
  const { seconds, rounds, minutes, publish, limit } = values;
  if (command.args.length === 1 && command.args[0] === SOAK) {
    const { soak } = await import('./soak/command.ts');
    await soak({ minutes, publish, stream, signal: stopAsked });
    return;
  }
  const names = command.args;
  requireCaseNames(names);
  // What follows takes seconds to load; a mistake on the command line should not wait for it.
  const { measureCases, printCases, publishLast } = await import('./measure-cases.ts');
  if (values.list) printCases(names, stream);
  else if (values.publishLast) await publishLast(stream);
  else {
    const warmUpSeconds = values.warmUp ?? Math.min(DEFAULT_WARM_UP_SECONDS, seconds);
    await measureCases({
      ...{ names, rounds, seconds, warmUpSeconds, publish, stream },
      limitMinutes: limit,
      signal: stopAsked,
    });
  }
}
