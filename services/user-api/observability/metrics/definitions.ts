import { cacheMetrics } from './cache-metrics.ts';
import { databaseMetrics } from './database-metrics.ts';
import { byLabel, type MetricDefinition, single } from './definition.ts';
import { httpMetrics } from './http-metrics.ts';
import { queueMetrics } from './queue-metrics.ts';
import { redisMetrics } from './redis-metrics.ts';

const rateLimitMetrics: readonly MetricDefinition[] = [
  {
    name: 'rate_limit_decisions_total',
    type: 'counter',
    labels: ['policy', 'source', 'decision'],
    help: 'Decisions of the limiters: by Redis, on a lease, remembered from the last refusal, or by this process alone.',
    read: ({ rateLimits }) =>
      Object.entries(rateLimits.limiters).flatMap(([policy, { counts }]) =>
        Object.entries(counts).flatMap(([source, { allowed, refused }]) => [
          { labels: { policy, source, decision: 'allowed' }, value: allowed },
          { labels: { policy, source, decision: 'refused' }, value: refused },
        ]),
      ),
  },
  {
    name: 'rate_limit_shared',
    type: 'gauge',
    help: '1 while Redis keeps the limits for all processes, 0 while this process limits by itself.',
    read: ({ rateLimits }) => single(rateLimits.shared ? 1 : 0),
  },
];

const MILLISECONDS_PER_SECOND = 1_000;

/** What prom-client does not have of the process. */
const processMetrics: readonly MetricDefinition[] = [
  {
    name: 'nodejs_eventloop_active_seconds_total',
    type: 'counter',
    help: 'Time in which the event loop had something to do: its rate is the event-loop utilisation, and at 1 a core is used up.',
    read: () => single(performance.eventLoopUtilization().active / MILLISECONDS_PER_SECOND),
  },
  {
    name: 'traces_spans_total',
    type: 'counter',
    labels: ['result'],
    help: 'Spans that the collector took, and those that were lost because it did not. Absent where nothing is traced.',
    read: ({ tracer }) =>
      tracer === null
        ? []
        : byLabel('result', { exported: tracer.counts.exported, lost: tracer.counts.failed }),
  },
];

/**
 * Who asks. How logins end is in `http_server_requests_total` and `http_server_problems_total`, by their routes.
 */
const authMetrics: readonly MetricDefinition[] = [
  {
    name: 'auth_requests_total',
    type: 'counter',
    labels: ['credentials'],
    help: 'Requests by what they came with: nothing (anonymous), an access token (user), an API key, or credentials that are not good (refused).',
    read: ({ admission }) => byLabel('credentials', admission.counts),
  },
  {
    name: 'auth_password_hashes',
    type: 'gauge',
    labels: ['state'],
    help: 'Passwords that are being hashed or verified, and those that wait for it.',
    read: ({ hasher: { load } }) =>
      byLabel('state', { running: load.running, waiting: load.waiting }),
  },
];

/** Every metric of the service, by what it is about; prom-client's own of the process come beside them. */
export const metricDefinitions: Readonly<Record<string, readonly MetricDefinition[]>> = {
  HTTP: httpMetrics,
  PostgreSQL: databaseMetrics,
  Caches: cacheMetrics,
  Redis: redisMetrics,
  'Events and the queue': queueMetrics,
  'Rate limits': rateLimitMetrics,
  'Who asks': authMetrics,
  'The process': processMetrics,
};
