import { LoadError, requireNoFailures } from '../generators/generator.ts';
import { observe } from '../observe.ts';
import type { RequestSequence } from '../requests.ts';
import { verifySameResponses } from '../same-responses.ts';
import { type BenchmarkCase, REQUESTS, type Stage } from '../stage.ts';
import type { Subject } from '../subjects.ts';
import { CONNECTIONS, named } from './closed-loop.ts';

/** Share of the peak rate: busy, as a service is kept at most, and with room for what comes in bunches. */
const SHARE_OF_PEAK = 0.7;
/** Time of the closed loop that finds the peak, and of starting the server. */
const PEAK_SECONDS = 3;
const EXTRA_SECONDS = PEAK_SECONDS + 2;

export interface OpenLoopOptions {
  readonly name: string;
  readonly title: string;
  /** Its peak sets the rate for both. */
  readonly subject: Subject;
  readonly against: Subject;
  /** Most that the subject's p99 may be in terms of the other's. */
  readonly bound: number;
  readonly requests: RequestSequence;
}

/**
 * Latency at a fixed rate, of a subject and of what it is compared with, at the same rate: {@link SHARE_OF_PEAK} of the most that
 * the subject answers, measured in each round just before.
 */
export function openLoopCase(options: OpenLoopOptions): BenchmarkCase {
  const { subject, against, requests } = options;
  const subjects = new Map([subject, against].map((one) => [one.name, one]));
  let rate: number | undefined;

  async function measureAt(one: Subject, stage: Stage) {
    const { cores, closedLoop, openLoop, directory, signal } = stage;
    if (openLoop === null) throw new LoadError('There is no open-loop generator');
    const server = await stage.start(one);
    const load = {
      origin: server.origin,
      sequence: requests,
      connections: CONNECTIONS,
      directory,
      signal,
    };
    try {
      const warmUp = await closedLoop.run({ ...load, seconds: stage.warmUpSeconds });
      requireNoFailures(`Warming up ${one.name}`, warmUp);
      if (one === subject) {
        const peak = await closedLoop.run({ ...load, seconds: PEAK_SECONDS });
        requireNoFailures(one.name, peak);
        rate = Math.round((SHARE_OF_PEAK * peak.requests) / peak.seconds);
      }
      const requestsPerSecond = rate;
      if (requestsPerSecond === undefined) throw new Error(`${subject.name} comes first`);
      const { result, observation } = await observe(
        { processGroups: [server.processGroup], cores: [cores.subject], otherCores: cores.others },
        () => openLoop.run({ ...load, seconds: stage.seconds }, requestsPerSecond),
        (responded) => responded.requests,
      );
      requireNoFailures(one.name, result);
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

  return {
    name: options.name,
    title: options.title,
    operation: REQUESTS,
    subjects: [...subjects.keys()],
    targets: [
      {
        subject: subject.name,
        against: against.name,
        comparison: 'p99',
        bound: options.bound,
      },
    ],
    note: `Open loop: requests are due at a fixed rate, ${SHARE_OF_PEAK * 100} % of the most that ${subject.name} answers, and latency counts from when a request was due.`,
    extraSeconds: EXTRA_SECONDS,
    missing: (name, stage) =>
      named(subjects, name).missing() ??
      (stage.openLoop === null ? 'it needs oha: see docs/performance.md' : null),
    verify: (names, stage) =>
      verifySameResponses({
        subjects: names.map((name) => named(subjects, name)),
        requests,
        status: 200,
        stage,
      }),
    measure: (name, stage) => measureAt(named(subjects, name), stage),
  };
}
