import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinned } from '../cores.ts';
import { cpuSecondsOfEndedChildren } from '../cpu-time.ts';
import { runProgram } from '../generators/run-program.ts';
import type { Measurement } from '../measurement.ts';
import type { BenchmarkCase, Stage } from '../stage.ts';

const ONE_STAGE = 'Headroom, stage dev';
const ONE_VPC = 'an app of one VPC';
/** About what a run takes. */
const EXPECTED_SECONDS = 15;
const TIMEOUT_SECONDS = 180;

const inRepository = (path: string) =>
  fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const CDK = inRepository('node_modules/aws-cdk/bin/cdk');
const apps: Readonly<Record<string, string>> = {
  [ONE_STAGE]: `${inRepository('bin/run.mjs')} app`,
  [ONE_VPC]: inRepository('test/performance/bench/baselines/one-vpc-app.ts'),
};

/** `cdk synth` from the command line to its end, both with the settings of this repository's cdk.json. */
export function synthCase(): BenchmarkCase {
  return {
    name: 'synth',
    title: 'cdk synth of one stage',
    operation: { one: 'synth', many: 'synths' },
    subjects: [ONE_STAGE, ONE_VPC],
    targets: [{ subject: ONE_STAGE, against: ONE_VPC, comparison: 'duration', bound: 2.5 }],
    note: 'The whole command, on one core.',
    extraSeconds: EXPECTED_SECONDS,
    missing: () => null,
    measure,
  };
}

async function measure(subject: string, stage: Stage): Promise<Measurement> {
  const { cores, directory, signal } = stage;
  const output = join(directory, 'cdk.out');
  // The same Node.js for the command line and the app, without what finds it first.
  const app = `${process.execPath} ${apps[subject]}`;
  const command = pinned(cores, [cores.subject], process.execPath, [
    ...[CDK, 'synth', '--quiet', '--app', app, '--output', output, '--context', 'stage=dev'],
  ]);
  const cpuBefore = cpuSecondsOfEndedChildren();
  const startedAt = performance.now();
  await runProgram({ ...command, timeoutSeconds: TIMEOUT_SECONDS, signal });
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuAfter = cpuSecondsOfEndedChildren();
  rmSync(output, { recursive: true, force: true });
  const cpuSeconds = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  return {
    operations: 1,
    operationsPerSecond: 1 / seconds,
    cpuMicrosecondsPerOperation: cpuSeconds === null ? null : cpuSeconds * 1_000_000,
    latency: null,
    processes: 1,
    subjectBusy: cpuSeconds === null ? null : cpuSeconds / seconds,
    disturbance: null,
    otherCoresBusy: null,
  };
}
