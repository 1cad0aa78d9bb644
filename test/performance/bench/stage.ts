import type { Guardian } from '../../../services/local/process/guardian.ts';
import type { Cores } from './cores.ts';
import type { ClosedLoopGenerator, OpenLoopGenerator } from './generators/generator.ts';
import type { Measurement, Target } from './measurement.ts';
import type { SubjectServer } from './server.ts';
import type { Subject } from './subjects.ts';
import type { Surroundings } from './surroundings.ts';

/** What every measurement has around it. */
export interface Stage {
  readonly cores: Cores;
  /** Ends what is still there when this process is gone. */
  readonly guardian: Guardian;
  readonly closedLoop: ClosedLoopGenerator;
  /** Null when no such generator is installed. */
  readonly openLoop: OpenLoopGenerator | null;
  /** How long each server is loaded before it is measured, so that its code is compiled and its caches are filled; in seconds. */
  readonly warmUpSeconds: number;
  /** How long each run measures, in seconds. */
  readonly seconds: number;
  /** For files of the load generators. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** PostgreSQL, Redis and SQS, started when they are first asked for. */
  surroundings(): Promise<Surroundings>;
  /**
   * Starts a subject among the surroundings.
   *
   * @param on - cores that it may use. @default the subject's
   */
  start(subject: Subject, on?: readonly number[]): Promise<SubjectServer>;
}

/** What is counted. */
export interface Operation {
  /** Such as `batch`. */
  readonly one: string;
  /** Such as `batches`. */
  readonly many: string;
}

export const REQUESTS: Operation = { one: 'request', many: 'requests' };

/** One row of the benchmark: some subjects that do the same, and how they are to compare. */
export interface BenchmarkCase {
  /** Short, for the command line. */
  readonly name: string;
  readonly title: string;
  readonly operation: Operation;
  /** The names of what is measured, in the order of a round. */
  readonly subjects: readonly string[];
  readonly targets: readonly Target[];
  /** What the reader has to know to read the figures. */
  readonly note?: string;
  /** About how long one run takes beside warm-up and measurement, in seconds; for the estimate of what is left. */
  readonly extraSeconds: number;
  /** Why a subject, or with it the whole case, cannot be measured on this machine; null when it can. */
  missing(subject: string, stage: Stage): string | null;
  /**
   * Makes sure that all subjects give the same answers. Absent where they give none to compare.
   *
   * @returns of each subject that does not, why: what was different, or why it does not run.
   */
  verify?(subjects: readonly string[], stage: Stage): Promise<ReadonlyMap<string, string>>;
  /** @throws `LoadError` when what came of it is no measurement. */
  measure(subject: string, stage: Stage): Promise<Measurement>;
}
