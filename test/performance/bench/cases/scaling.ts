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
  /** The least code that gives the same answers. It shares nothing with anybody, so two of it show what the machine has to give. */
  readonly baseline: Subject;
  /** Least that two processes do in terms of one. */
  readonly bound: number;
  readonly requests: RequestSequence;
  /** Cores of the machine: with two, the load generators have to share them with the servers. */
  readonly coreCount: number;
}

/** Servers that are loaded at the same time, each on a core of its own. */
interface Arrangement {
  /** How tables call it. */
  readonly name: string;
  readonly measured: readonly Subject[];
  /** Is loaded beside what is measured, and not counted. @default nothing */
  readonly neighbour?: Subject;
}

/**
 * Two processes of one subject, each on a core of its own, in comparison with one.
 *
 * With two cores, each of two servers has the other one's load generator on its core, for want of another one, and a server that is alone has
 * none. A generator makes the server beside it slower, whatever server it is: they take turns, so that caches are lost and fewer requests wait
 * each time. Therefore the one process gets a neighbour there: the baseline, on the other core, whose generator is where that of a second process
 * would be. What is left is what two processes cost each other. (With each generator on the core of its own server, how many requests wait each
 * time depends on how the scheduler shares a core among groups of processes, and ratios come out that are above 2.)
 */
export function scalingCase(options: ScalingOptions): BenchmarkCase {
  const { subject, baseline, requests } = options;
  const loadElsewhere = options.coreCount > 2;
  const one: Arrangement = { name: `${subject.name}, 1 process`, measured: [subject] };
  const oneBeside: Arrangement = {
    name: `${subject.name}, 1 process beside ${baseline.name}`,
    measured: [subject],
    neighbour: baseline,
  };
  const two: Arrangement = { name: `${subject.name}, 2 processes`, measured: [subject, subject] };
  const arrangements: readonly Arrangement[] = [
    one,
    ...(loadElsewhere ? [] : [oneBeside]),
    two,
    { name: `${baseline.name}, 1 process`, measured: [baseline] },
    { name: `${baseline.name}, 2 processes`, measured: [baseline, baseline] },
  ];
  const arrangementOf = (name: string) => arrangements.find((each) => each.name === name) ?? one;
  return {
    name: options.name,
    title: options.title,
    operation: REQUESTS,
    subjects: arrangements.map(({ name }) => name),
    targets: [
      {
        subject: two.name,
        against: loadElsewhere ? one.name : oneBeside.name,
        comparison: loadElsewhere ? 'throughput' : 'capacity',
        bound: options.bound,
      },
    ],
    note: loadElsewhere
      ? `The load comes from other cores. Two ${baseline.name} have nothing to do with each other: they show what the machine has to give.`
      : `With two cores, each of two servers shares its core with the other one's load generator, which slows any server: two independent ${baseline.name} show how much. So the one process that two are compared with has such a neighbour too. The ratio is that of processes divided by CPU time per request: what they would do alone on their cores.`,
    extraSeconds: EXTRA_SECONDS,
    missing: (name) => {
      const { measured, neighbour } = arrangementOf(name);
      return measured[0]?.missing() ?? neighbour?.missing() ?? null;
    },
    measure: (name, stage) => measure(arrangementOf(name), requests, stage),
  };
}

async function measure(
  { name, measured, neighbour }: Arrangement,
  requests: RequestSequence,
  stage: Stage,
): Promise<Measurement> {
  const { cores, closedLoop, directory, signal } = stage;
  const subjects = neighbour === undefined ? measured : [...measured, neighbour];
  const own = [cores.subject, cores.second].slice(0, subjects.length);
  const rest = cores.others.filter((core) => !own.includes(core));
  const servers: SubjectServer[] = [];
  try {
    for (const [index, subject] of subjects.entries()) {
      servers.push(await stage.start(subject, own.slice(index, index + 1)));
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
      requireNoFailures(`Warming up ${name}`, result);
    }
    const { result: results, observation } = await observe(
      {
        processGroups: servers.slice(0, measured.length).map(({ processGroup }) => processGroup),
        cores: own.slice(0, measured.length),
        otherCores: rest,
      },
      async () => {
        const all = await loadAll(stage.seconds);
        for (const result of all) requireNoFailures(name, result);
        return all.slice(0, measured.length);
      },
      (all) => all.reduce((sum, result) => sum + result.requests, 0),
    );
    return {
      operations: results.reduce((sum, result) => sum + result.requests, 0),
      operationsPerSecond: results.reduce(
        (sum, result) => sum + result.requests / result.seconds,
        0,
      ),
      // Of two generators' percentiles no common one can be made.
      latency: null,
      processes: measured.length,
      ...observation,
      // The generators that share the cores are not a disturbance, and cannot be told from one.
      ...(rest.length === 0 && { disturbance: null }),
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
