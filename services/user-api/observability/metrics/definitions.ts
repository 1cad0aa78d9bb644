import { authMetrics } from './auth-metrics.ts';
import { cacheMetrics } from './cache-metrics.ts';
import { databaseMetrics } from './database-metrics.ts';
import type { MetricDefinition } from './definition.ts';
import { httpMetrics } from './http-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { queueMetrics } from './queue-metrics.ts';
import { rateLimitMetrics } from './rate-limit-metrics.ts';
import { redisMetrics } from './redis-metrics.ts';

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
