import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DURATION_BUCKETS_SECONDS } from './counters.ts';
import type { HistogramSample, MetricDefinition } from './definition.ts';
import { metricDefinitions } from './definitions.ts';
import type { MetricSources } from './sources.ts';

/** How closely the event loop is watched, in milliseconds: shorter delays are not seen, and each look costs a wake-up. */
const EVENT_LOOP_RESOLUTION_MILLISECONDS = 10;

interface HistogramDescription {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => readonly HistogramSample[];
}

/**
 * A histogram that others have filled. prom-client reads a histogram by this one method, for text and for JSON alike, and has no
 * other way to give it counts.
 */
class FilledHistogram extends Histogram {
  readonly #description: HistogramDescription;

  constructor(description: HistogramDescription, registry: Registry) {
    const { name, help, labels } = description;
    super({
      name,
      help,
      labelNames: [...labels],
      buckets: [...DURATION_BUCKETS_SECONDS],
      registers: [registry],
    });
    this.#description = description;
  }

  async getForPromString() {
    const { name, help, read } = this.#description;
    return { name, help, type: 'histogram', aggregator: 'sum', values: read().flatMap(toLines) };

    function toLines({ labels, durations }: HistogramSample) {
      let count = 0;
      const line = (suffix: string, value: number, le?: number | '+Inf') => ({
        metricName: `${name}_${suffix}`,
        labels: le === undefined ? {} : { le },
        sharedLabels: { ...labels },
        value,
      });
      const buckets = [...DURATION_BUCKETS_SECONDS, '+Inf' as const].map((bound, index) => {
        count += durations.buckets[index] ?? 0;
        return line('bucket', count, bound);
      });
      return [...buckets, line('sum', durations.sum), line('count', count)];
    }
  }
}

function register(definition: MetricDefinition, sources: MetricSources, registry: Registry): void {
  const { name, help, labels = [] } = definition;
  if (definition.type === 'histogram') {
    const { read } = definition;
    new FilledHistogram({ name, help, labels, read: () => read(sources) }, registry);
    return;
  }
  const { read, type } = definition;
  const configuration = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'gauge') {
    new Gauge({
      ...configuration,
      async collect() {
        const samples = await read(sources);
        this.reset();
        // Without labels there is always a value, of 0, unless it is taken away.
        if (labels.length === 0) this.remove();
        for (const { labels: values, value } of samples) this.set({ ...values }, value);
      },
    });
    return;
  }
  new Counter({
    ...configuration,
    async collect() {
      const samples = await read(sources);
      this.reset();
      for (const { labels: values, value } of samples) this.inc({ ...values }, value);
    },
  });
}

/** A registry whose metrics are read from `sources` each time that it is asked. */
export function createMetricsRegistry(sources: MetricSources): Registry {
  const registry = new Registry();
  for (const definition of Object.values(metricDefinitions).flat()) {
    register(definition, sources, registry);
  }
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MILLISECONDS,
  });
  return registry;
}
