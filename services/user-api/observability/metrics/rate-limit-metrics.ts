import { type MetricDefinition, single } from './definition.ts';

export const rateLimitMetrics: readonly MetricDefinition[] = [
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
