import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guardian, startGuardian } from '../../../services/local/process/guardian.ts';
import type { Cores } from './cores.ts';
import { createAutocannon } from './generators/autocannon.ts';
import type { Measurement } from './measurement.ts';
import { lastResults, writeResults } from './report/write.ts';
import type { BenchmarkResults } from './results.ts';
import { runBenchmark } from './run.ts';
import type { BenchmarkCase } from './stage.ts';

const cores: Cores = { pinned: false, subject: 0, second: 0, others: [0], count: 1 };
const measured: Measurement = {
  operations: 1,
  operationsPerSecond: 1,
  cpuMicrosecondsPerOperation: null,
  latency: null,
  processes: 1,
  subjectBusy: null,
  disturbance: null,
  otherCoresBusy: null,
};

function caseOf(name: string, given: Partial<BenchmarkCase>): BenchmarkCase {
  return {
    name,
    title: name,
    operation: { one: 'run', many: 'runs' },
    subjects: ['ours', 'theirs'],
    targets: [],
    extraSeconds: 0,
    missing: () => null,
    measure: async () => measured,
    ...given,
  };
}

describe('a run of the benchmark', () => {
  let guardian: Guardian;
  let directory: string;
  beforeAll(async () => {
    guardian = startGuardian();
    directory = await mkdtemp(join(tmpdir(), 'headroom-test-'));
  });
  afterAll(async () => {
    await guardian.close();
    await rm(directory, { recursive: true });
  });

  async function run(
    cases: readonly BenchmarkCase[],
    onResults: (results: BenchmarkResults) => Promise<void> = async () => {},
    signal = AbortSignal.timeout(30_000),
  ) {
    const output = { write: () => true, isTTY: false, columns: 80 };
    return await runBenchmark({
      ...{ cases, cores, guardian, signal, onResults, stream: output },
      ...{ rounds: 2, warmUpSeconds: 1, seconds: 1 },
      generators: { closedLoop: createAutocannon(cores), openLoop: null, notes: [] },
    });
  }

  it('loses the figures of what fails, and no others', async () => {
    let asked = 0;
    const failing = caseOf('failing', {
      async measure(subject) {
        asked += 1;
        if (subject === 'theirs' && asked < 3) throw new Error('It fell over');
        return measured;
      },
    });
    const { cases, omissions } = await run([failing, caseOf('well', {})]);
    expect(cases.map(({ measurements }) => measurements)).toEqual([
      { ours: [measured, measured], theirs: [null, measured] },
      { ours: [measured, measured], theirs: [measured, measured] },
    ]);
    expect(omissions).toEqual([
      { case: 'failing', subject: 'theirs', reason: 'It fell over', failed: true },
    ]);
  });

  it('measures what answers as it should, and leaves out what does not', async () => {
    const different = caseOf('different', {
      verify: async () => new Map([['theirs', 'it answers something else']]),
    });
    const broken = caseOf('broken', { verify: () => Promise.reject(new Error('No tables')) });
    const { cases, omissions } = await run([different, broken]);
    expect(cases.map(({ measurements }) => measurements)).toEqual([
      { ours: [measured, measured] },
      {},
    ]);
    expect(omissions.map(({ subject, reason }) => [subject, reason])).toEqual([
      ['theirs', 'it answers something else'],
      ['ours', 'No tables'],
      ['theirs', 'No tables'],
    ]);
  });

  it('hands out what there is after each run, which can be read again when it is ended', async () => {
    const stop = new AbortController();
    let runs = 0;
    const results = await run(
      [caseOf('well', {})],
      async (soFar) => {
        runs += 1;
        await writeResults(directory, soFar);
        if (runs === 3) stop.abort();
      },
      stop.signal,
    );
    expect(results.cases[0]?.measurements).toEqual({
      ours: [measured, measured],
      theirs: [measured],
    });
    const { cases } = await lastResults(directory);
    expect(cases).toEqual(results.cases);
  });

  it('has no last results where there was none, and says what to do', async () => {
    await expect(lastResults(join(directory, 'none'))).rejects.toMatchObject({
      remedy: 'Measure first: npm run bench.',
    });
  });
});
