import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { unknownName } from '../../lib/config/configuration-error.ts';
import { hasTools, INSTALL_TOOLS, importTool, toolPath } from '../tools/import-tool.ts';
import { folders, type MutatedFolder } from './folders.ts';
import {
  readReport,
  type Score,
  scoreOf,
  scoreTable,
  survivorsOf,
  TARGET_SCORE,
} from './report.ts';

const OUTPUT = 'test-results/mutation';
/** What StrykerJS has judged of a folder; written after Ctrl+C, too. */
const INCREMENTAL = 'incremental.json';
/** More than a test may take, so that a mutant that hangs fails the test, and the worker with its servers lives on. */
const TIMEOUT_MILLISECONDS = 120_000;

/** What is used here of StrykerJS; its own types are there only where it is installed. */
interface StrykerModule {
  readonly Stryker: new (options: object) => { runMutationTest(): Promise<unknown> };
}

interface Options {
  readonly concurrency: number;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Relative to the repository. */
  readonly file?: readonly string[];
  readonly tests?: readonly string[];
  readonly report: boolean;
}

function addFolder(name: string, previous: readonly string[] = []): readonly string[] {
  if (!Object.hasOwn(folders, name)) {
    throw new InvalidArgumentError(unknownName('folder', name, Object.keys(folders)));
  }
  return [...previous, name];
}

function addFile(file: string, previous: readonly string[] = []): readonly string[] {
  if (!existsSync(file)) {
    throw new InvalidArgumentError(
      `There is no file ${file}, seen from the root of the repository.`,
    );
  }
  return [...previous, file];
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number from 1 to 99.');
}

/** The files that patterns name. StrykerJS does not take those that begin with an exclamation mark. */
function filesOf(patterns: readonly string[]): string[] {
  const isExclusion = (pattern: string) => pattern.startsWith('!');
  const excluded = globSync(patterns.filter(isExclusion).map((pattern) => pattern.slice(1)));
  const found = globSync(patterns.filter((pattern) => !isExclusion(pattern)));
  return found.filter((file) => !excluded.includes(file)).sort();
}

async function mutate(name: string, folder: MutatedFolder, options: Options): Promise<void> {
  const directory = join(OUTPUT, name);
  const sandbox = join(directory, 'sandbox');
  // What a run that was stopped has left.
  rmSync(sandbox, { recursive: true, force: true });
  const { Stryker } = await importTool<StrykerModule>('@stryker-mutator/core');
  await new Stryker({
    mutate: [...(options.file ?? folder.mutate)],
    testFiles: filesOf(options.tests ?? folder.tests),
    testRunner: 'vitest',
    plugins: [toolPath('@stryker-mutator/vitest-runner/dist/src/index.js')],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    // StrykerJS reads a tsconfig with TypeScript's JavaScript API, which TypeScript 7 does not have; a missing file is passed over.
    tsconfigFile: 'no-tsconfig.json',
    coverageAnalysis: 'perTest',
    // What runs only while a module loads needs all tests in a new process for each mutant.
    ignoreStatic: true,
    concurrency: options.concurrency,
    timeoutMS: TIMEOUT_MILLISECONDS,
    dryRunTimeoutMinutes: 15,
    dryRunOnly: options.dryRun,
    incremental: true,
    incrementalFile: join(directory, INCREMENTAL),
    force: options.force,
    reporters: ['html', 'progress-append-only'],
    htmlReporter: { fileName: join(directory, 'mutation.html') },
    tempDirName: sandbox,
    cleanTempDir: 'always',
    ignorePatterns: ['test-results', 'cdk.out', '.local', 'coverage'],
  }).runMutationTest();
}

/** Lists the survivors of the last run of a folder, whole or not, and counts; null when it has not been run. */
function summarise(name: string): Score | null {
  const directory = join(OUTPUT, name);
  const report = readReport(join(directory, INCREMENTAL));
  if (report === null) return null;
  writeFileSync(join(directory, 'survivors.txt'), `${survivorsOf(report).join('\n')}\n`);
  return scoreOf(report);
}

/** `npm run test:mutation`, from the root of the repository: see docs/testing.md. Its exit code is 1 when a score is below the target. */
export async function mutation(commandLine: readonly string[]): Promise<void> {
  await new Command('npm run test:mutation --')
    .description(
      `Changes the code in small ways (mutants) and looks whether the tests notice; the target is ${TARGET_SCORE} % in each folder.
What has been judged before and has not changed since is not run again, also after Ctrl+C.
Reports: ${OUTPUT}/<folder>/mutation.html and survivors.txt.`,
    )
    .argument('[folders...]', `of ${Object.keys(folders).join(', ')} (default: all)`, addFolder)
    .option(
      '--concurrency <count>',
      'processes that run tests, each with servers of its own',
      wholeNumber,
      1,
    )
    .option(
      '--file <path>',
      'mutate this file of the folder alone, such as services/user-api/queue/outbox.ts; the rest of its report stays. Can be repeated',
      addFile,
    )
    .option(
      '--tests <path>',
      'judge by this suite of the folder alone, for a first look that takes little time; can be repeated',
      addFile,
    )
    .option('--dry-run', 'run the tests once, with no mutant active', false)
    .option('--force', 'run all mutants again', false)
    .option(
      '--report',
      'run nothing; print the scores of the last runs, and list their survivors',
      false,
    )
    .showSuggestionAfterError()
    .showHelpAfterError('See --help.')
    .action(async (names: readonly string[] = [], options: Options, command: Command) => {
      const chosen = names.length === 0 ? Object.keys(folders) : names;
      if ((options.file ?? options.tests) !== undefined && names.length !== 1) {
        command.error('error: --file and --tests take one folder, the one whose report it is.');
      }
      if (!options.report && !hasTools()) {
        command.error(`error: StrykerJS is not installed. Run: ${INSTALL_TOOLS}`);
      }
      const scores = new Map<string, Score | null>();
      for (const name of chosen) {
        const folder = folders[name];
        if (folder !== undefined && !options.report) await mutate(name, folder, options);
        scores.set(name, summarise(name));
      }
      console.log(`\n${scoreTable(scores)}`);
      const isBelow = [...scores.values()].some((score) => (score?.percent ?? 100) < TARGET_SCORE);
      if (isBelow) process.exitCode = 1;
    })
    .parseAsync(commandLine, { from: 'user' });
}
