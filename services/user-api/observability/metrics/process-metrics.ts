import { byLabel, type MetricDefinition, single } from './definition.ts';

const MILLISECONDS_PER_SECOND = 1_000;

/** What prom-client does not have of the process. */
export const processMetrics: readonly MetricDefinition[] = [
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
