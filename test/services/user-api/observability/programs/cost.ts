import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Counter, Histogram, Registry } from 'prom-client';
import { during, traced } from '../../../../../services/contracts/tracing/trace-context.ts';
import { createTracer } from '../../../../../services/contracts/tracing/tracer.ts';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';
import { RequestMetrics } from '../../../../../services/user-api/observability/metrics/counters.ts';
import {
  type ObservedRequest,
  RequestObserver,
  RequestRecord,
} from '../../../../../services/user-api/observability/requests/request-observer.ts';

/**
 * Measures what seeing a request costs, in CPU time of this process for each request, without HTTP around it:
 * `npx node test/services/user-api/observability/programs/cost.ts`. The figures are in docs/observability.md.
 */

const ROUTE = '/api/v1/users/{id}';
const ROUNDS = 5;

function newRequest(): ObservedRequest {
  return {
    requestId: '0b6c2f5e-7a64-4c0e-9a51-0d6d4f1d2c3b',
    method: 'GET',
    headers: {},
    receivedAt: performance.now(),
  };
}

const outgoing = { writableFinished: true, statusCode: 200 };

/** @returns the median of some rounds, in microseconds of CPU for each call. */
async function measure(calls: number, act: () => unknown): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) {
      const result = act();
      if (result instanceof Promise) await result;
    }
    const { user, system } = process.cpuUsage(before);
    // The first one is for the compiler.
    if (round > 0) rounds.push((user + system) / calls);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const destination = pino.destination({ dest: '/dev/null', sync: false, minLength: 4_096 });
  const logger = createLogger({ LOG_LEVEL: 'info', STAGE: 'test' }, destination);
  const collector = createServer((request, response) => {
    request.resume().once('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => collector.once('listening', resolve));
  const { port } = collector.address() as AddressInfo;
  const tracer = await createTracer(
    {
      STAGE: 'test',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: {},
    },
    { service: 'cost', onChange: () => {} },
  );
  if (tracer === null) throw new Error('There is no tracer');
  const settings = { logger, oneHitIn: 1_000, slowRequestMilliseconds: 500 };
  const plain = new RequestObserver({ ...settings, tracer: null, traceRatio: 0 });
  const tracing = new RequestObserver({ ...settings, tracer, traceRatio: 0.000_001 });
  const see = (observer: RequestObserver, fields: Partial<RequestRecord>) => {
    const incoming = newRequest();
    const record = Object.assign(new RequestRecord(), { route: ROUTE, ...fields });
    observer.pass(incoming, record, () => {});
    observer.ended(incoming, record, outgoing);
  };

  const metrics = new RequestMetrics();
  const registry = new Registry();
  const labels = ['method', 'route', 'status'];
  const counter = new Counter({ name: 'c', help: 'c', labelNames: labels, registers: [registry] });
  const histogram = new Histogram({
    name: 'h',
    help: 'h',
    labelNames: labels,
    registers: [registry],
  });
  const redacted = createLogger({ LOG_LEVEL: 'info', STAGE: 'test' }, destination);
  const line = {
    requestId: 'r',
    method: 'GET',
    route: ROUTE,
    status: 200,
    durationMilliseconds: 1.2,
  };

  const figures: [what: string, microseconds: number][] = [
    [
      'making the request that is seen, which is part of all below',
      await measure(300_000, newRequest),
    ],
    [
      'counting and timing alone',
      await measure(300_000, () => metrics.record('GET', ROUTE, 200, 0.001)),
    ],
    [
      "the same with prom-client's counter and histogram",
      await measure(100_000, () => {
        counter.inc({ method: 'GET', route: ROUTE, status: 200 });
        histogram.observe({ method: 'GET', route: ROUTE, status: 200 }, 0.001);
      }),
    ],
    ['a hit in memory, traces off', await measure(300_000, () => see(plain, { fromCache: true }))],
    [
      'a hit in memory, traces on and this one not chosen',
      await measure(300_000, () => see(tracing, { fromCache: true })),
    ],
    ['any other request, with its line in the log', await measure(50_000, () => see(plain, {}))],
    [
      'that line with the masks of other lines',
      await measure(20_000, () => redacted.info(line, 'request')),
    ],
    [
      'a recorded trace of a request with two queries, until it is sent',
      await measure(2_000, async () => {
        const span = tracer.startSpan('GET', { kind: 'server' }, null);
        await during(span, async () => {
          await traced('SELECT users', { kind: 'client' }, async () => 1);
          await traced('GET', { kind: 'client' }, async () => 1);
        });
      }),
    ],
  ];
  console.log(`Node.js ${process.version}; CPU time for each request, median of ${ROUNDS} rounds`);
  for (const [what, microseconds] of figures) {
    console.log(`${microseconds.toFixed(2).padStart(8)} µs  ${what}`);
  }
  await tracer.close(5_000);
  collector.close();
  collector.closeAllConnections();
}

await main();
