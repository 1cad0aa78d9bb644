import { requireNoFailures } from '../generators/generator.ts';
import type { Measurement, Target } from '../measurement.ts';
import { observe } from '../observe.ts';
import type { RequestSequence } from '../requests.ts';
import { verifySameResponses } from '../same-responses.ts';
import { type BenchmarkCase, REQUESTS, type Stage } from '../stage.ts';
import type { Subject } from '../subjects.ts';
import type { Surroundings } from '../surroundings.ts';

/** Enough that the server always has a request to work on, and few enough that none waits long. */
export const CONNECTIONS = 32;
/** Starting a server, and writing the file of requests. */
const EXTRA_SECONDS = 2;

export interface ClosedLoopOptions {
  readonly name: string;
  readonly title: string;
  readonly subjects: readonly Subject[];
  readonly targets: readonly Target[];
  readonly note?: string;
  /** What is sent to each server; each run of a server asks for a new one. */
  readonly requests: (stage: Stage) => RequestSequence;
  /** Brings the surroundings into the state that each run begins with. @default nothing to do */
  readonly prepare?: (surroundings: Surroundings, stage: Stage) => Promise<void>;
  /** Takes back what a run has left in the surroundings and would burden the runs after it. @default nothing to do */
  readonly restore?: (surroundings: Surroundings) => Promise<void>;
  /** Status of every response. @default 200 */
  readonly status?: number;
}

/** Subjects that answer the same requests, each as fast as it can. */
export function closedLoopCase(options: ClosedLoopOptions): BenchmarkCase {
  const { name, title, targets, note } = options;
  const subjects = new Map(options.subjects.map((subject) => [subject.name, subject]));

  async function prepared<Result>(stage: Stage, run: () => Promise<Result>): Promise<Result> {
    const surroundings = await stage.surroundings();
    await options.prepare?.(surroundings, stage);
    try {
      return await run();
    } finally {
      await options.restore?.(surroundings);
    }
  }

  return {
    name,
    title,
    operation: REQUESTS,
    subjects: [...subjects.keys()],
    targets,
    ...(note !== undefined && { note }),
    extraSeconds: EXTRA_SECONDS,
    missing: (subject) => named(subjects, subject).missing(),
    verify: (names, stage) =>
      prepared(stage, () =>
        verifySameResponses({
          subjects: names.map((subject) => named(subjects, subject)),
          requests: options.requests(stage),
          status: options.status ?? 200,
          stage,
        }),
      ),
    measure: (subject, stage) =>
      prepared(stage, () =>
        measureServer(named(subjects, subject), options.requests(stage), stage),
      ),
  };
}

export function named(subjects: ReadonlyMap<string, Subject>, name: string): Subject {
  const subject = subjects.get(name);
  if (subject === undefined) throw new Error(`There is no subject ${name}`);
  return subject;
}

/** Starts a server, warms it up, and measures it in a closed loop. */
export async function measureServer(
  subject: Subject,
  sequence: RequestSequence,
  stage: Stage,
): Promise<Measurement> {
  const { cores, closedLoop, directory, signal } = stage;
  const server = await stage.start(subject);
  try {
    const load = {
      origin: server.origin,
      sequence,
      connections: CONNECTIONS,
      directory,
      signal,
    };
    const warmUp = await closedLoop.run({ ...load, seconds: stage.warmUpSeconds });
    requireNoFailures(`Warming up ${subject.name}`, warmUp);
    const { result, observation } = await observe(
      { processGroups: [server.processGroup], cores: [cores.subject], otherCores: cores.others },
      // Some requests of the warm-up were in flight and not counted when it ended.
      () =>
        closedLoop.run({ ...load, seconds: stage.seconds, offset: warmUp.requests + CONNECTIONS }),
      ({ requests }) => requests,
    );
    requireNoFailures(subject.name, result);
    return {
      operations: result.requests,
      operationsPerSecond: result.requests / result.seconds,
      latency: result.latency,
      processes: 1,
      ...observation,
    };
  } finally {
    await server.stop();
  }
}
