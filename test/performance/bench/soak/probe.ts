import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Loaded into the server that is soaked (`--import`, with `--expose-gc`). On SIGUSR2 it collects garbage and adds what is in memory then, and how
 * late the event loop was since the last time, as one line of JSON to the file that SOAK_PROBE_FILE names.
 */
const file = process.env.SOAK_PROBE_FILE;
const collect = globalThis.gc;
if (file === undefined || collect === undefined) {
  throw new Error('The probe needs SOAK_PROBE_FILE and --expose-gc');
}
const RESOLUTION_MILLISECONDS = 10;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
delays.enable();

process.on('SIGUSR2', () => {
  const eventLoopDelay = delays.percentile(99) / NANOSECONDS_PER_MILLISECOND;
  // Twice, because what the first one frees may have kept something else.
  collect();
  collect();
  const { external, heapUsed, rss } = process.memoryUsage();
  // Its resolution is part of what it counts.
  const eventLoopDelayP99Milliseconds = Math.max(0, eventLoopDelay - RESOLUTION_MILLISECONDS);
  appendFileSync(
    file,
    `${JSON.stringify({ rss, heapUsed, external, eventLoopDelayP99Milliseconds })}\n`,
  );
  delays.reset();
});
