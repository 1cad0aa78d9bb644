import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../../services/local/process/guardian.ts';
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
  /** Gets what there is after each run, so that it outlives whatever happens to this process. */
  readonly onResults: (results: BenchmarkResults) => Promise<void>;
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));

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
  let runningSurroundings: Surroundings | undefined;
  const startedSurroundings = async () => {
    surroundings ??= startSurroundings(guardian, progress.step);
    runningSurroundings = await surroundings;
    return runningSurroundings;
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
  const resultsSoFar = () => gather(contenders, omissions, startedAt, runningSurroundings, options);
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
        await options.onResults(resultsSoFar());
      }
    }
  } finally {
    progress.close();
    await runningSurroundings?.stop();
  }
  return resultsSoFar();
}

function gather(
  contenders: readonly Contender[],
  omissions: readonly Omission[],
  startedAt: Date,
  surroundings: Surroundings | undefined,
  { cases, cores, generators, rounds, seconds, warmUpSeconds }: RunOptions,
): BenchmarkResults {
  return {
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    commit: currentCommit(repository),
    machine: describeMachine({
      ...(surroundings !== undefined && {
        PostgreSQL: surroundings.postgresVersion,
        Redis: surroundings.redisVersion,
      }),
      'closed loop': generators.closedLoop.name,
      ...(generators.openLoop !== null && { 'open loop': generators.openLoop.name }),
    }),
    rounds,
    warmUpSeconds,
    secondsPerRun: seconds,
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
          .map(({ subject, measurements }) => [subject, [...measurements]]),
      ),
    })),
    omissions: [...omissions],
  };
}

/** Where a step finds what is around it, and notes what came of it. */
interface Notes {
  readonly stage: Stage;
  readonly progress: Progress;
  readonly omissions: Omission[];
}

function presentSubjects(benchmarkCase: BenchmarkCase, notes: Notes): Contender[] {
  return benchmarkCase.subjects.flatMap((subject): Contender[] => {
    const reason = benchmarkCase.missing(subject, notes.stage);
    if (reason === null) return [{ benchmarkCase, subject, measurements: [] }];
    leaveOut(notes, { case: benchmarkCase.name, subject, reason, failed: false });
    return [];
  });
}

/** Before anything is measured, because a server that answers something else may be fast. Only that one is left out. */
async function verifyAll(contenders: readonly Contender[], notes: Notes): Promise<Contender[]> {
  const { stage, progress } = notes;
  const verified: Contender[] = [];
  for (const [benchmarkCase, group] of Map.groupBy(contenders, (one) => one.benchmarkCase)) {
    if (stage.signal.aborted) break;
    if (benchmarkCase.verify !== undefined) {
      progress.step(`Checking that the subjects of ${benchmarkCase.name} give the same answers`);
    }
    const reasons = await reasonsAgainst(benchmarkCase, group, stage);
    for (const contender of group) {
      const { subject } = contender;
      const reason = reasons.get(subject);
      if (reason === undefined) verified.push(contender);
      else leaveOut(notes, { case: benchmarkCase.name, subject, reason, failed: true });
    }
  }
  return verified;
}

/** Why subjects of a case cannot be measured. What fails for the case as a whole, such as filling the tables, fails for all of them. */
async function reasonsAgainst(
  benchmarkCase: BenchmarkCase,
  group: readonly Contender[],
  stage: Stage,
): Promise<ReadonlyMap<string, string>> {
  const names = group.map(({ subject }) => subject);
  try {
    return (await benchmarkCase.verify?.(names, stage)) ?? new Map();
  } catch (error) {
    return new Map(names.map((name) => [name, messageOf(error)]));
  }
}

function leaveOut({ omissions, progress }: Notes, omission: Omission): void {
  omissions.push(omission);
  progress.warn(`${omission.case}: ${omission.subject} is left out: ${omission.reason}`);
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
