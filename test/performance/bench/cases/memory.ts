import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentVariables } from '../../../../services/contracts/environment/variables.ts';
import { pinned } from '../cores.ts';
import { runProgram } from '../generators/run-program.ts';
import type { Measurement } from '../measurement.ts';
import { memoryResult } from '../memory/fill-near-cache.ts';
import type { BenchmarkCase, Stage } from '../stage.ts';

const PROGRAM = fileURLToPath(new URL('../memory/fill-near-cache.ts', import.meta.url));
const ALL_FIT = '100,000 users, room for all';
const TEN_TIMES_AS_MANY = '1,000,000 users, room for a tenth';
/** The default of NEAR_CACHE_BYTES: some 120,000 users. */
const DEFAULT_BYTES = environmentVariables.NEAR_CACHE_BYTES.type.parse(undefined);
/** About what 100,000 users take, so that ten times as many must be kept out. */
const TENTH_BYTES = 107 * 2 ** 20;
const OVERHEAD = 'bytes an entry over its response';
const BOUND = 'memory in terms of the setting';
/** The most that an entry may take beside its response. */
const OVERHEAD_BOUND_BYTES = 2_048;
const EXPECTED_SECONDS = 8;
const TIMEOUT_SECONDS = 120;
/** Old space of V8, in MiB: more than any of it takes, so that no run is about collecting garbage. */
const HEAP_MEBIBYTES = 2_048;

const fills: Readonly<Record<string, { readonly keys: number; readonly maximumBytes: number }>> = {
  [ALL_FIT]: { keys: 100_000, maximumBytes: DEFAULT_BYTES },
  [TEN_TIMES_AS_MANY]: { keys: 1_000_000, maximumBytes: TENTH_BYTES },
};

/** What the near cache takes in memory, by V8's own account after a collection, and whether its setting bounds it. */
export function memoryCase(): BenchmarkCase {
  return {
    name: 'memory',
    title: 'near cache of 100,000 users',
    operation: { one: 'fill', many: 'fills' },
    subjects: [ALL_FIT, TEN_TIMES_AS_MANY],
    targets: [
      { subject: ALL_FIT, against: OVERHEAD, comparison: 'figure', bound: OVERHEAD_BOUND_BYTES },
      { subject: TEN_TIMES_AS_MANY, against: BOUND, comparison: 'figure', bound: 1 },
    ],
    note: 'In a process of its own: V8’s heap and the buffers outside of it, after a collection, before and after the cache was filled.',
    extraSeconds: EXPECTED_SECONDS,
    missing: () => null,
    measure,
  };
}

async function measure(subject: string, stage: Stage): Promise<Measurement> {
  const { cores, directory, signal } = stage;
  const asked = fills[subject];
  if (asked === undefined) throw new Error(`There is no subject ${subject}`);
  const resultFile = join(directory, 'memory.json');
  const command = pinned(cores, [cores.subject], process.execPath, [
    '--expose-gc',
    `--max-old-space-size=${HEAP_MEBIBYTES}`,
    PROGRAM,
  ]);
  await runProgram({
    ...command,
    environment: {
      PATH: process.env.PATH ?? '',
      KEYS: String(asked.keys),
      MAXIMUM_BYTES: String(asked.maximumBytes),
      RESULT_FILE: resultFile,
    },
    timeoutSeconds: TIMEOUT_SECONDS,
    signal,
  });
  const result = memoryResult.parse(JSON.parse(await readFile(resultFile, 'utf8')));
  return {
    operations: 1,
    operationsPerSecond: 1 / result.seconds,
    cpuMicrosecondsPerOperation: null,
    latency: null,
    processes: 1,
    subjectBusy: null,
    disturbance: null,
    otherCoresBusy: null,
    figures: {
      'entries kept': result.entries,
      [OVERHEAD]: (result.memoryBytes - result.responseBytes) / result.entries,
      [BOUND]: result.memoryBytes / asked.maximumBytes,
    },
  };
}
