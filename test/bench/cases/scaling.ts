import { type LoadRequest, requireNoFailures } from '../generators/generator.ts';
import type { Measurement } from '../measurement.ts';
import { observe } from '../observe.ts';
import type { RequestSequence } from '../requests.ts';
import type { SubjectServer } from '../server.ts';
import { type BenchmarkCase, REQUESTS, type Stage } from '../stage.ts';
import type { Subject } from '../subjects.ts';
import { CONNECTIONS } from './closed-loop.ts';

const EXTRA_SECONDS = 3;

export interface ScalingOptions {
  readonly name: string;
  readonly title: string;
  readonly subject: Subject;
  /** Least that two processes do in terms of one. */
  readonly bound: number;
  readonly requests: RequestSequence;
  /** Cores of the machine: with two, the load generator has to share with the servers. */
  readonly coreCount: number;
}

/** Two processes of one subject, each on a core of its own, in comparison with one. */
export function scalingCase(options: ScalingOptions): BenchmarkCase {
  const { subject, requests } = options;
  const one = `${subject.name}, 1 process`;
  const two = `${subject.name}, 2 processes`;
  const loadElsewhere = options.coreCount > 2;

  async function measureProcesses(count: number, stage: Stage): Promise<Measurement> {
    const { cores, closedLoop, directory, signal } = stage;
    const own = count === 1 ? [cores.subject] : [cores.subject, cores.second];
    const rest = cores.others.filter((core) => !own.includes(core));
    const servers: SubjectServer[] = [];
    try {
      for (const core of own) {
        servers.push(await stage.start(subject, [core]));
      }
      const loadAll = (seconds: number) =>
        Promise.all(
          servers.map(({ origin }, index) => {
            const load: LoadRequest = {
              origin,
              sequence: requests,
              connections: CONNECTIONS,
              seconds,
              directory,
              // With no core to spare, each generator shares a core with the other one's server.
              cores: rest.length > 0 ? rest : [own[(index + 1) % own.length] ?? cores.subject],
              signal,
            };
            return closedLoop.run(load);
          }),
        );
      for (const result of await loadAll(stage.warmUpSeconds)) {
        requireNoFailures(`Warming up ${subject.name}`, result);
      }
      const { result: results, observation } = await observe(
        {
          processGroups: servers.map(({ processGroup }) => processGroup),
          cores: own,
          otherCores: rest,
        },
        () => loadAll(stage.seconds),
        (all) => all.reduce((sum, result) => sum + result.requests, 0),
      );
      for (const result of results) requireNoFailures(subject.name, result);
      return {
        operations: results.reduce((sum, result) => sum + result.requests, 0),
        operationsPerSecond: results.reduce(
          (sum, result) => sum + result.requests / result.seconds,
          0,
        ),
        // Of two generators' percentiles no common one can be made.
        latency: null,
        processes: count,
        ...observation,
        // The generators that share the cores are not a disturbance, and cannot be told from one.
        ...(rest.length === 0 && { disturbance: null }),
      };
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }

  return {
    name: options.name,
    title: options.title,
    operation: REQUESTS,
    subjects: [one, two],
    targets: [
      {
        subject: two,
        against: one,
        comparison: loadElsewhere ? 'throughput' : 'capacity',
        bound: options.bound,
      },
    ],
    note: loadElsewhere
      ? 'The load comes from other cores.'
      : 'With two cores, the load generators share them with the two servers. The ratio is therefore that of processes divided by CPU time per request: what they would do if nothing else used their cores. The requests a second are what was left of it.',
    extraSeconds: EXTRA_SECONDS,
    missing: () => subject.missing(),
    measure: (name, stage) => measureProcesses(name === one ? 1 : 2, stage),
  };
}
