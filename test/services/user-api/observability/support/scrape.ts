/** A metric as it is scraped. */
export interface ScrapedMetric {
  readonly type: string;
  /** Values by series, as in `name{label="value"}`. */
  readonly series: ReadonlyMap<string, number>;
}

/** Reads Prometheus' text format, by the names of the metrics. */
export function parseMetrics(text: string): ReadonlyMap<string, ScrapedMetric> {
  const metrics = new Map<string, { type: string; series: Map<string, number> }>();
  let current: { type: string; series: Map<string, number> } | undefined;
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      current = { type, series: new Map() };
      metrics.set(name, current);
      continue;
    }
    const [, series, value] = /^([^#\s].*) (\S+)$/.exec(line) ?? [];
    if (series !== undefined) current?.series.set(series, Number(value));
  }
  return metrics;
}

/** Asks a service's internal port for its metrics. */
export async function scrape(
  internalPort: number | null,
): Promise<ReadonlyMap<string, ScrapedMetric>> {
  const response = await fetch(`http://127.0.0.1:${internalPort}/metrics`);
  if (!response.ok) throw new Error(`/metrics responded ${response.status}`);
  return parseMetrics(await response.text());
}

/** The value of one series, such as `name{label="value"}`; 0 when there is none yet. */
export function sampleOf(metrics: ReadonlyMap<string, ScrapedMetric>, series: string): number {
  for (const metric of metrics.values()) {
    const value = metric.series.get(series);
    if (value !== undefined) return value;
  }
  return 0;
}
