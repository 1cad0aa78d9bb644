import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { scrape } from './metrics.ts';
import type { Phase } from './scenarios.ts';
import { type Outcomes, type Percentiles, type Second, Tally } from './timeline.ts';
import type { Traffic } from './traffic.ts';

export interface RunOptions {
  /** Such as `http://127.0.0.1:3000`. */
  readonly origin: string;
  readonly phases: readonly Phase[];
  /** Of a phase whose load is 1. */
  readonly connections: number;
  /** Of all phases together, in seconds. */
  readonly seconds: number;
  /** Most requests a second, of a phase whose load is 1. @default as many as are answered */
  readonly rate?: number;
  readonly traffic: Traffic;
  /** Where the service shows its metrics. @default they are not asked for */
  readonly metricsUrl?: string;
  readonly onSecond: (second: Second) => void;
  readonly signal: AbortSignal;
}

/** A phase as it went. */
export interface PhaseResult {
  readonly name: string;
  readonly connections: number;
  /** Seconds since the run began. */
  readonly from: number;
  readonly to: number;
  readonly outcomes: Outcomes;
  readonly latency: Percentiles | null;
}

export interface RunResult {
  readonly seconds: readonly Second[];
  readonly phases: readonly PhaseResult[];
  readonly outcomes: Outcomes;
  readonly latency: Percentiles | null;
  /** Share of the time that this process was busy: near 1, it was the limit itself, and not the service. */
  readonly generatorBusy: number;
}

const SECOND_MILLISECONDS = 1_000;
/** A request that takes longer counts as failed. */
const REQUEST_TIMEOUT_SECONDS = 10;
/** A last second that is shorter says nothing. */
const LEAST_SECOND = 0.25;

/** Sends the load of all phases, one after the other. */
export async function runLoad(options: RunOptions): Promise<RunResult> {
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / SECOND_MILLISECONDS;
  const whole = new Tally();
  const seconds: Second[] = [];
  const phases: PhaseResult[] = [];
  const utilization = performance.eventLoopUtilization();
  const { metricsUrl } = options;
  let metrics = metricsUrl === undefined ? null : await scrape(metricsUrl);

  for (const phase of options.phases) {
    if (options.signal.aborted) break;
    const connections = Math.max(1, Math.round(options.connections * phase.load));
    const tallies = { phase: new Tally(), second: new Tally() };
    const from = elapsed();
    let secondFrom = from;

    const endSecond = () => {
      const at = elapsed();
      const length = at - secondFrom;
      if (length < LEAST_SECOND) return;
      const { outcomes, latency } = tallies.second;
      const second = { at, phase: phase.name, connections, length, outcomes, latency, metrics };
      seconds.push(second);
      options.onSecond(second);
      tallies.second.reset();
      // Each sample is shown once, with the second in which it came.
      metrics = null;
      secondFrom = at;
    };
    const timer = setInterval(() => {
      endSecond();
      if (metricsUrl === undefined) return;
      // What comes before the end of the next second is shown with it.
      void scrape(metricsUrl).then((sample) => {
        metrics = sample;
      });
    }, SECOND_MILLISECONDS);
    try {
      await sendPhase(options, phase, connections, [tallies.phase, tallies.second, whole]);
    } finally {
      clearInterval(timer);
    }
    endSecond();
    const { outcomes, latency } = tallies.phase;
    phases.push({ name: phase.name, connections, from, to: elapsed(), outcomes, latency });
  }
  return {
    seconds,
    phases,
    outcomes: whole.outcomes,
    latency: whole.latency,
    generatorBusy: performance.eventLoopUtilization(utilization).utilization,
  };
}

/** Runs autocannon for one phase, and counts what it sees. */
function sendPhase(
  { origin, seconds, rate, traffic, signal }: RunOptions,
  phase: Phase,
  connections: number,
  tallies: readonly Tally[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const instance = autocannon(
      {
        url: origin,
        connections,
        duration: seconds * phase.time,
        timeout: REQUEST_TIMEOUT_SECONDS,
        // How often it looks whether the time is over.
        sampleInt: 100,
        ...(rate !== undefined && {
          overallRate: Math.max(1, Math.round(rate * phase.load)),
          // Its correction takes every connection for one that sends a request each millisecond, and would make up latencies.
          ignoreCoordinatedOmission: true,
        }),
        requests: [
          {
            setupRequest: (request) => ({ ...request, ...traffic.next() }),
            onResponse: (status, body) => traffic.learn(status, body),
          },
        ],
      },
      (error: unknown) => {
        signal.removeEventListener('abort', stop);
        if (error) reject(error);
        else resolve();
      },
    );
    const stop = () => instance.stop();
    signal.addEventListener('abort', stop);
    instance.on('response', (_client, status, _bytes, milliseconds) => {
      for (const tally of tallies) tally.responded(status, milliseconds);
    });
    instance.on('reqError', () => {
      for (const tally of tallies) tally.failed();
    });
  });
}
