/** What the service says of itself at one moment, as far as it says it. */
export interface MetricsSample {
  /** Reads answered so far, by the layer that had the user; it only grows. */
  readonly readsByLayer: Readonly<Record<string, number>>;
  /** Connections of each database pool that are in use, and queries that wait for one. */
  readonly pools: Readonly<Record<string, { readonly busy: number; readonly waiting: number }>>;
  /** Events that wait to be sent or handled, by queue. */
  readonly queues: Readonly<Record<string, number>>;
}

/** One line of the text format. */
export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics of the user API that the report shows. */
const METRICS = {
  reads: { name: 'headroom_user_reads_total', label: 'layer' },
  busy: { name: 'headroom_database_pool_busy_connections', label: 'pool' },
  waiting: { name: 'headroom_database_pool_waiting_queries', label: 'pool' },
  queue: { name: 'headroom_queue_depth', label: 'queue' },
} as const;

const TIMEOUT_MILLISECONDS = 900;
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}

/** Reads Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/); what is no sample is left out. */
export function parseMetrics(text: string): MetricLine[] {
  return text.split('\n').flatMap((line): MetricLine[] => {
    const [, name, labels = '', value = ''] = LINE.exec(line.trim()) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [
      label,
      text.replace(/\\[n"\\]/g, (escaped) => ESCAPES[escaped] ?? escaped),
    ]);
    return [{ name, labels: Object.fromEntries(pairs), value: numberOf(value) }];
  });
}

/** What the report shows of all that a service tells. */
export function sampleOf(lines: readonly MetricLine[]): MetricsSample {
  const sums = ({ name, label }: { readonly name: string; readonly label: string }) => {
    const found: Record<string, number> = {};
    for (const line of lines) {
      if (line.name !== name) continue;
      const key = line.labels[label] ?? '';
      found[key] = (found[key] ?? 0) + line.value;
    }
    return found;
  };
  const busy = sums(METRICS.busy);
  const waiting = sums(METRICS.waiting);
  const pools = [...new Set([...Object.keys(busy), ...Object.keys(waiting)])];
  return {
    readsByLayer: sums(METRICS.reads),
    pools: Object.fromEntries(
      pools.map((pool) => [pool, { busy: busy[pool] ?? 0, waiting: waiting[pool] ?? 0 }]),
    ),
    queues: sums(METRICS.queue),
  };
}

/** Asks the service once. @returns null when it does not answer in time. */
export async function scrape(url: string): Promise<MetricsSample | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
    const text = await response.text();
    return response.ok ? sampleOf(parseMetrics(text)) : null;
  } catch {
    return null;
  }
}
