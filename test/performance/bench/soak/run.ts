import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Guardian } from '../../../../services/local/process/guardian.ts';
import type { Cores } from '../cores.ts';
import type { Generators } from '../generators/choose.ts';
import {
  type ClosedLoopGenerator,
  LoadError,
  type LoadRequest,
  type OpenLoopGenerator,
  requireNoFailures,
} from '../generators/generator.ts';
import { observe } from '../observe.ts';
import { type RequestSequence, userPages, usersById } from '../requests.ts';
import { type SubjectServer, startServer } from '../server.ts';
import { headroom, type Subject } from '../subjects.ts';
import { emptyQueue, ensureUsers, startSurroundings } from '../surroundings.ts';
import type { SoakSample } from './judge.ts';
import { createUsersAt } from './writer.ts';

export interface SoakOptions {
  /** How long the load goes on, in seconds. */
  readonly seconds: number;
  readonly cores: Cores;
  readonly generators: Generators;
  readonly guardian: Guardian;
  readonly signal: AbortSignal;
  readonly onStep: (message: string) => void;
  readonly onSample: (sample: SoakSample) => Promise<void> | void;
  /** What is soaked. @default Headroom as production runs it, with a small near cache */
  readonly subject?: Subject;
}

/** What a soak was, beside what it saw. */
export interface SoakLoad {
  /** Of reads and writes together. */
  readonly requestsPerSecond: number;
  readonly peakRequestsPerSecond: number;
  readonly samples: readonly SoakSample[];
}

/**
 * A third of the most that it answers: busy for ten minutes, without being at its limit. The most is that of a closed loop, whose clients ask together, so
 * that much is asked of Redis and the database at once; of half of it in an open loop, where little is, the process is nearly at its limit.
 */
const SHARE_OF_PEAK = 1 / 3;
const PERCENT = 100;
const WRITE_SHARE = 0.02;
/** Of fast machines, more would load the database and the queue rather than the API. */
const WRITES_MAXIMUM_PER_SECOND = 100;
/** One read in so many is a page of a list. */
const LIST_EVERY = 12;
const CONNECTIONS = 32;
/** The load of the warm-up goes on in steps of so long until every user has been asked for, and for a minute at most. */
const WARM_UP_STEP_SECONDS = 3;
const WARM_UP_LIMIT_SECONDS = 60;
const PEAK_SECONDS = 3;
/** More than the near cache has room for, so that it is full when it is judged, and what it evicts is part of what is soaked. */
const USERS = 20_000;
const NEAR_CACHE_BYTES = 4 * 2 ** 20;
const SAMPLES_WANTED = 60;
const SHORTEST_INTERVAL_SECONDS = 2;
const MEGABYTES_OF_NEW_SPACE = 16;
const MILLISECONDS = 1_000;
const PROBE_TIMEOUT_MILLISECONDS = 10_000;
const PROBE_POLL_MILLISECONDS = 20;

const PROBE = fileURLToPath(new URL('./probe.ts', import.meta.url));
const probed = z.object({
  rss: z.number(),
  heapUsed: z.number(),
  external: z.number(),
  eventLoopDelayP99Milliseconds: z.number(),
});

const soaked: Subject = {
  ...headroom,
  environment: { ...headroom.environment, NEAR_CACHE_BYTES: String(NEAR_CACHE_BYTES) },
};

/** Users by id, and every {@link LIST_EVERY}th time a page. */
function reads(): RequestSequence {
  const users = usersById(1, USERS);
  const pages = userPages(900);
  return {
    ...users,
    at: (place) =>
      place % LIST_EVERY === 0 ? pages.at((place / LIST_EVERY) % pages.length) : users.at(place),
  };
}

/** Loads a server for a long time, at a rate that it has been found to bear, and looks into its memory again and again. */
export async function runSoak(options: SoakOptions): Promise<SoakLoad> {
  const { cores, generators, guardian, onSample, onStep, signal } = options;
  const { closedLoop, openLoop } = generators;
  if (openLoop === null) throw new LoadError('A soak needs oha: see docs/performance.md');
  const surroundings = await startSurroundings(guardian, onStep);
  const directory = guardian.createTemporaryDirectory('headroom-soak-');
  const probeFile = join(directory, 'probe.jsonl');
  let server: SubjectServer | undefined;
  try {
    await ensureUsers(surroundings, USERS);
    server = await startServer({
      subject: withProbe(options.subject ?? soaked, probeFile),
      addresses: surroundings,
      cores,
      on: [cores.subject],
      guardian,
    });
    const load = {
      origin: server.origin,
      sequence: reads(),
      connections: CONNECTIONS,
      directory,
      signal,
    };
    onStep('Warming up, and finding the most that it answers');
    await warmUp(closedLoop, load);
    const peak = await closedLoop.run({ ...load, seconds: PEAK_SECONDS });
    requireNoFailures('Finding the peak', peak);
    const peakRequestsPerSecond = Math.round(peak.requests / peak.seconds);
    const requestsPerSecond = Math.round(SHARE_OF_PEAK * peakRequestsPerSecond);
    onStep(
      `${requestsPerSecond.toLocaleString('en')} requests a second, a third of its most; ${WRITE_SHARE * PERCENT} % of them create users, ${WRITES_MAXIMUM_PER_SECOND} a second at most`,
    );
    const interval = Math.max(
      SHORTEST_INTERVAL_SECONDS,
      Math.round(options.seconds / SAMPLES_WANTED),
    );
    const samples: SoakSample[] = [];
    const startedAt = performance.now();
    const elapsed = () => (performance.now() - startedAt) / MILLISECONDS;
    while (elapsed() < options.seconds && !signal.aborted) {
      const { result: seen, observation } = await observe(
        { processGroups: [server.processGroup], cores: [cores.subject], otherCores: cores.others },
        () => loadFor(interval, { load, openLoop, requestsPerSecond }),
        ({ requestsPerSecond: rate }) => rate * interval,
      );
      const memory = await probe(server.processGroup, probeFile, samples.length, signal);
      // The queue is in the memory of this process, and its being full is not what is soaked.
      await emptyQueue(surroundings);
      const { disturbance } = observation;
      const sample = { seconds: elapsed(), ...seen, ...memory, disturbance };
      samples.push(sample);
      await onSample(sample);
    }
    return { requestsPerSecond, peakRequestsPerSecond, samples };
  } finally {
    await server?.stop();
    await surroundings.stop();
  }
}

/** Fills the caches. */
async function warmUp(
  closedLoop: ClosedLoopGenerator,
  load: Omit<LoadRequest, 'seconds'>,
): Promise<void> {
  let offset = 0;
  for (let steps = 0; steps < WARM_UP_LIMIT_SECONDS / WARM_UP_STEP_SECONDS; steps += 1) {
    const step = await closedLoop.run({ ...load, seconds: WARM_UP_STEP_SECONDS, offset });
    requireNoFailures('Warming up', step);
    offset += step.requests;
    if (offset >= USERS) return;
  }
}

function withProbe(subject: Subject, probeFile: string): Subject {
  return {
    ...subject,
    arguments: [
      '--expose-gc',
      // So that collections between samples are of the size that they have in a service that runs for long.
      `--max-semi-space-size=${MEGABYTES_OF_NEW_SPACE}`,
      '--import',
      PROBE,
      ...subject.arguments,
    ],
    environment: { ...subject.environment, SOAK_PROBE_FILE: probeFile },
  };
}

/** One interval of load, of reads and writes side by side. */
async function loadFor(
  seconds: number,
  options: {
    readonly load: Omit<LoadRequest, 'seconds'>;
    readonly openLoop: OpenLoopGenerator;
    readonly requestsPerSecond: number;
  },
) {
  const { load, openLoop, requestsPerSecond } = options;
  const writesPerSecond = Math.min(
    WRITES_MAXIMUM_PER_SECOND,
    Math.max(1, requestsPerSecond * WRITE_SHARE),
  );
  const [read, written] = await Promise.all([
    openLoop.run({ ...load, seconds }, Math.round(requestsPerSecond - writesPerSecond)),
    createUsersAt(writesPerSecond, { origin: load.origin, seconds, signal: load.signal }),
  ]);
  return {
    requestsPerSecond: (read.requests + written.requests) / seconds,
    readP50Milliseconds: read.latency.p50 / MILLISECONDS,
    readP99Milliseconds: read.latency.p99 / MILLISECONDS,
    writeP50Milliseconds: written.latency.p50 / MILLISECONDS,
    writeP99Milliseconds: written.latency.p99 / MILLISECONDS,
    failures: read.failures + written.failures,
  };
}

/** Has the server collect garbage, between two intervals so that nobody waits for it, and reads what is left. */
async function probe(processId: number, file: string, taken: number, signal: AbortSignal) {
  process.kill(processId, 'SIGUSR2');
  const deadline = performance.now() + PROBE_TIMEOUT_MILLISECONDS;
  while (performance.now() < deadline) {
    await wait(PROBE_POLL_MILLISECONDS, undefined, { signal });
    const lines = existsSync(file) ? (await readFile(file, 'utf8')).split('\n').slice(0, -1) : [];
    const line = lines[taken];
    if (line === undefined) continue;
    const { eventLoopDelayP99Milliseconds, external, heapUsed, rss } = probed.parse(
      JSON.parse(line),
    );
    return {
      rssBytes: rss,
      heapBytes: heapUsed,
      externalBytes: external,
      eventLoopDelayP99Milliseconds,
    };
  }
  throw new LoadError('The server did not tell of its memory in time');
}
