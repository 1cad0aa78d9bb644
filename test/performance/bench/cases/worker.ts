import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { startProcess } from '../../../../services/local/process/supervised-process.ts';
import { pinned } from '../cores.ts';
import { LoadError } from '../generators/generator.ts';
import type { Measurement } from '../measurement.ts';
import type { BenchmarkCase, Stage } from '../stage.ts';
import { commonVariables } from '../subjects.ts';
import { batchResult } from '../workers/run-batches.ts';
import { startSesEndpoint } from '../workers/ses-endpoint.ts';

const HEADROOM = 'Headroom';
const BASELINE = 'parse and send only';
const BASELINE_IN_COHORTS = 'parse, then send, in step';
const EXTRA_SECONDS = 3;
const LOG_LINES_SHOWN = 10;
/** Beyond warm-up and measurement, before a run counts as hanging. */
const PATIENCE_MILLISECONDS = 30_000;

const programs: Readonly<Record<string, string>> = {
  [HEADROOM]: fileURLToPath(new URL('../workers/headroom.ts', import.meta.url)),
  [BASELINE]: fileURLToPath(new URL('../workers/parse-and-send.ts', import.meta.url)),
  [BASELINE_IN_COHORTS]: fileURLToPath(new URL('../workers/parse-then-send.ts', import.meta.url)),
};

export interface WorkerOptions {
  readonly name: string;
  readonly title: string;
  readonly note: string;
  /** How long the endpoint takes for an email, in milliseconds; for all subjects alike. */
  readonly sesMilliseconds: number;
}

/** Batches of ten messages through the email worker, and through handlers that only parse them and send. */
export function workerCase({ sesMilliseconds, ...texts }: WorkerOptions): BenchmarkCase {
  return {
    ...texts,
    operation: { one: 'batch', many: 'batches' },
    subjects: [HEADROOM, BASELINE, BASELINE_IN_COHORTS],
    targets: [{ subject: HEADROOM, against: BASELINE, comparison: 'speed', bound: 0.8 }],
    extraSeconds: EXTRA_SECONDS,
    missing: () => null,
    measure: (subject, stage) => measure(subject, sesMilliseconds, stage),
  };
}

async function measure(
  subject: string,
  sesMilliseconds: number,
  stage: Stage,
): Promise<Measurement> {
  const { cores, guardian, directory } = stage;
  const surroundings = await stage.surroundings();
  await forgetHandledEvents(surroundings.databaseUrl);
  const ses = await startSesEndpoint(sesMilliseconds);
  const resultFile = join(directory, 'batches.json');
  const supervised = await startProcess({
    name: subject,
    ...pinned(cores, [cores.subject], process.execPath, [programs[subject] ?? '']),
    environment: {
      ...commonVariables(surroundings, 0),
      EMAIL_TRANSPORT: 'ses',
      AWS_ENDPOINT_URL_SESV2: ses.url,
      WARM_UP_SECONDS: String(stage.warmUpSeconds),
      SECONDS: String(stage.seconds),
      RESULT_FILE: resultFile,
    },
    logFile: join(directory, 'worker.log'),
    guardian,
  });
  const patience = AbortSignal.timeout(
    (stage.warmUpSeconds + stage.seconds) * 1_000 + PATIENCE_MILLISECONDS,
  );
  const signal = AbortSignal.any([stage.signal, patience]);
  try {
    const aborted = once(signal, 'abort').then(() => Promise.reject(signal.reason));
    const { code } = await Promise.race([supervised.exited, aborted]);
    if (code !== 0) {
      throw new LoadError(
        `${subject} failed:\n${supervised.lastLogLines(LOG_LINES_SHOWN).join('\n')}`,
      );
    }
    const result = batchResult.parse(JSON.parse(await readFile(resultFile, 'utf8')));
    return {
      operations: result.batches,
      operationsPerSecond: result.batches / result.seconds,
      cpuMicrosecondsPerOperation: result.cpuMicroseconds / result.batches,
      latency: null,
      processes: 1,
      subjectBusy: result.cpuMicroseconds / 1_000_000 / result.seconds,
      disturbance: null,
      otherCoresBusy: null,
    };
  } finally {
    await supervised.stop();
    await ses.stop();
  }
}

/** Each run begins with as few records as the one before it. */
async function forgetHandledEvents(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await sql`truncate idempotency_records`;
  await sql.end();
}
