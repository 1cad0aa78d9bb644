import type { BenchmarkResults } from './results.ts';

/** Results with one case, whose target compares `Headroom` with `baseline`; throughputs by subject and round. */
export function resultsOf(
  throughputs: Readonly<Record<string, readonly number[]>>,
  disturbance = 0,
): BenchmarkResults {
  return {
    startedAt: '2026-11-21T12:00:00.000Z',
    seconds: 60,
    commit: 'abc1234',
    machine: {
      processor: 'A processor',
      cores: 2,
      memoryGibibytes: 16,
      system: 'Linux',
      versions: { 'Node.js': '24.0.0' },
    },
    rounds: 3,
    warmUpSeconds: 1,
    secondsPerRun: 2,
    pinned: true,
    omissions: [],
    cases: [
      {
        name: 'hit',
        title: 'GET by id',
        operation: { one: 'request', many: 'requests' },
        note: 'A note.',
        targets: [{ subject: 'Headroom', against: 'baseline', comparison: 'speed', bound: 0.95 }],
        measurements: Object.fromEntries(
          Object.entries(throughputs).map(([name, values]) => [
            name,
            values.map((operationsPerSecond) => ({
              operations: operationsPerSecond,
              operationsPerSecond,
              cpuMicrosecondsPerOperation: 1_000_000 / operationsPerSecond,
              latency: { p50: 300, p99: 1_200, p999: 2_000_000 },
              processes: 1,
              subjectBusy: 0.99,
              disturbance,
              otherCoresBusy: 0.5,
            })),
          ]),
        ),
      },
    ],
  };
}
