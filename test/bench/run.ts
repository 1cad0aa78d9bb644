import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../services/local/process/guardian.ts';
import { type Cores, pinThisProcess } from './cores.ts';
import type { Generators } from './generators/choose.ts';
import { currentCommit, describeMachine } from './machine.ts';
import type { Measurement } from './measurement.ts';
import { createProgress, type Output, type Progress } from './progress.ts';
import { number } from './report/format.ts';
import type { BenchmarkResults, Omission } from './results.ts';
import { startServer } from './server.ts';
import type { BenchmarkCase, Operation, Stage } from './stage.ts';
import { type Surroundings, startSurroundings } from './surroundings.ts';

export interface RunOptions {
  readonly cases: readonly BenchmarkCase[];
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly cores: Cores;
  readonly generators: Generators;
  readonly guardian: Guardian;
  /** Ends the benchmark; what was measured by then is kept. */
  readonly signal: AbortSignal;
  readonly stream: Output;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A subject of a case, with what has been measured of it. */
interface Contender {
  readonly benchmarkCase: BenchmarkCase;
  readonly subject: string;
  readonly measurements: (Measurement | null)[];
}

/**
 * Checks that the subjects of each case give the same answers, then measures all of them once, and again, for as many rounds as
 * are asked for: so what the machine does for a minute hits all of them alike.
 */
export async function runBenchmark(options: RunOptions): Promise<BenchmarkResults> {
  const { cases, rounds, cores, generators, guardian, signal } = options;
  const startedAt = new Date();
  const perRun = options.warmUpSeconds + options.seconds;
  const expected = ({ extraSeconds }: BenchmarkCase) => perRun + extraSeconds;
  const total = cases.reduce((sum, one) => sum + expected(one) * one.subjects.length, 0) * rounds;
  const progress = createProgress(options.stream, total);
  for (const note of generators.notes) progress.warn(note);
  if (!cores.pinned) {
    progress.warn(
      'Nothing is pinned to a core here (there is no taskset, or one core only): servers and load generator are in each other’s way.',
    );
  }
  pinThisProcess(cores);

  let surroundings: Promise<Surroundings> | undefined;
  const startedSurroundings = () => {
    surroundings ??= startSurroundings(guardian, progress.step);
    return surroundings;
  };
  const stage: Stage = {
    cores,
    guardian,
    closedLoop: generators.closedLoop,
    openLoop: generators.openLoop,
    warmUpSeconds: options.warmUpSeconds,
    seconds: options.seconds,
    directory: guardian.createTemporaryDirectory('headroom-bench-load-'),
    signal,
    surroundings: startedSurroundings,
    start: async (subject, on = [cores.subject]) =>
      await startServer({ subject, addresses: await startedSurroundings(), cores, on, guardian }),
  };
  const omissions: Omission[] = [];
  const notes: Notes = { stage, progress, omissions };
  const contenders = cases.flatMap((benchmarkCase) => presentSubjects(benchmarkCase, notes));
  try {
    const verified = await verifyAll(contenders, notes);
    for (let round = 1; round <= rounds; round += 1) {
      for (const contender of verified) {
        const { benchmarkCase, subject } = contender;
        if (signal.aborted) break;
        progress.begin(
          `round ${round}/${rounds}  ${benchmarkCase.name}: ${subject}`,
          expected(benchmarkCase),
        );
        await measureOnce(contender, notes);
      }
    }
  } finally {
    progress.close();
    await (await surroundings)?.stop();
  }
  const around = await surroundings;
  return {
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    commit: currentCommit(repository),
    machine: describeMachine({
      ...(around !== undefined && {
        PostgreSQL: around.postgresVersion,
        Redis: around.redisVersion,
      }),
      'closed loop': generators.closedLoop.name,
      ...(generators.openLoop !== null && { 'open loop': generators.openLoop.name }),
    }),
    rounds,
    warmUpSeconds: options.warmUpSeconds,
    secondsPerRun: options.seconds,
    pinned: cores.pinned,
    cases: cases.map((one) => ({
      name: one.name,
      title: one.title,
      operation: one.operation,
      note: one.note ?? null,
      targets: one.targets,
      measurements: Object.fromEntries(
        contenders
          .filter(
            ({ benchmarkCase, measurements }) => benchmarkCase === one && measurements.length > 0,
          )
          .map(({ subject, measurements }) => [subject, measurements]),
      ),
    })),
    omissions,
  };
}

/** Where a step finds what is around it, and notes what came of it. */
interface Notes {
  readonly stage: Stage;
  readonly progress: Progress;
  readonly omissions: Omission[];
}

function presentSubjects(
  benchmarkCase: BenchmarkCase,
  { stage, progress, omissions }: Notes,
): Contender[] {
  return benchmarkCase.subjects.flatMap((subject): Contender[] => {
    const reason = benchmarkCase.missing(subject, stage);
    if (reason === null) return [{ benchmarkCase, subject, measurements: [] }];
    omissions.push({ case: benchmarkCase.name, subject, reason, failed: false });
    progress.warn(`${benchmarkCase.name}: ${subject} is left out: ${reason}`);
    return [];
  });
}

/** Before anything is measured, because a server that answers something else may be fast. */
async function verifyAll(contenders: readonly Contender[], notes: Notes): Promise<Contender[]> {
  const { stage, progress, omissions } = notes;
  const verified: Contender[] = [];
  for (const [benchmarkCase, group] of Map.groupBy(contenders, (one) => one.benchmarkCase)) {
    if (stage.signal.aborted) break;
    if (benchmarkCase.verify === undefined) {
      verified.push(...group);
      continue;
    }
    progress.step(`Checking that the subjects of ${benchmarkCase.name} give the same answers`);
    try {
      await benchmarkCase.verify(
        group.map(({ subject }) => subject),
        stage,
      );
      verified.push(...group);
    } catch (error) {
      const reason = messageOf(error);
      progress.warn(`${benchmarkCase.name} is left out: ${reason}`);
      for (const { subject } of group) {
        omissions.push({ case: benchmarkCase.name, subject, reason, failed: true });
      }
    }
  }
  return verified;
}

/** A run that fails costs its own figures, and not those of all the others. */
async function measureOnce(
  contender: Contender,
  { stage, progress, omissions }: Notes,
): Promise<void> {
  const { benchmarkCase, subject, measurements } = contender;
  try {
    const measurement = await benchmarkCase.measure(subject, stage);
    measurements.push(measurement);
    progress.end(outcomeOf(measurement, benchmarkCase.operation));
  } catch (error) {
    measurements.push(null);
    const aborted = stage.signal.aborted;
    const reason = aborted ? 'the benchmark was ended in the middle of it' : messageOf(error);
    omissions.push({ case: benchmarkCase.name, subject, reason, failed: !aborted });
    progress.end(aborted ? 'ended' : `FAILED: ${reason}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function outcomeOf(measurement: Measurement, { one, many }: Operation): string {
  const { operationsPerSecond: rate, cpuMicrosecondsPerOperation: cpu, latency } = measurement;
  const speed =
    rate < 1
      ? `${(1 / rate).toFixed(1)} s a ${one}`
      : `${Math.round(rate).toLocaleString('en')} ${many}/s`;
  return [
    speed,
    ...(cpu === null || rate < 1 ? [] : [`${cpu.toFixed(1)} µs CPU`]),
    ...(latency === null ? [] : [`p99 ${(latency.p99 / 1_000).toFixed(1)} ms`]),
    ...Object.entries(measurement.figures ?? {}).map(([name, value]) => `${number(value)} ${name}`),
  ].join(', ');
}
