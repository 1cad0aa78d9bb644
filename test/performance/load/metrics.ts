/** What the service says of itself at one moment, as far as it says it. */
export interface MetricsSample {
  /** Reads of single users so far, by the layer that had the user; it only grows. */
  readonly readsByLayer: Readonly<Record<string, number>>;
  readonly pools: Readonly<Record<string, PoolSample>>;
  /** Events that wait to be sent, by where they wait. */
  readonly waitingEvents: Readonly<Record<string, number>>;
}

/** One database pool. */
export interface PoolSample {
  /** Queries that run or wait for a connection. */
  readonly queries: number;
  /** Most connections, and so the most queries of which none waits. */
  readonly connections: number;
}

/** One line of the text format. */
export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics of the user API that the report shows; docs/metrics.md describes them. */
const READS = 'cache_reads_total';
/** Results of a layer that had the user: of a cache, and of the database. */
const HAD_IT: ReadonlySet<string> = new Set(['hit', 'load']);
/** Pages of lists are no reads of single users. */
const LISTS = 'lists';
const QUERIES = 'database_pool_queries_in_progress';
const CONNECTIONS = 'database_pool_connections_maximum';
const WAITING_EVENTS: Readonly<Record<string, string>> = {
  outbox_events: 'in the outbox',
  queue_events_held: 'held by the process',
};

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
  const readsByLayer: Record<string, number> = {};
  const pools: Record<string, PoolSample> = {};
  const waitingEvents: Record<string, number> = {};
  for (const { name, labels, value } of lines) {
    const { layer = '', result = '', pool = '' } = labels;
    if (name === READS && HAD_IT.has(result) && layer !== LISTS) {
      readsByLayer[layer] = (readsByLayer[layer] ?? 0) + value;
    }
    const known = pools[pool] ?? { queries: 0, connections: 0 };
    if (name === QUERIES) pools[pool] = { ...known, queries: value };
    if (name === CONNECTIONS) pools[pool] = { ...known, connections: value };
    const waiting = WAITING_EVENTS[name];
    if (waiting !== undefined) waitingEvents[waiting] = value;
  }
  return { readsByLayer, pools, waitingEvents };
}

/** Asks the service once. @returns null when it does not respond in time. */
export async function scrape(url: string): Promise<MetricsSample | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
    const text = await response.text();
    return response.ok ? sampleOf(parseMetrics(text)) : null;
  } catch {
    return null;
  }
}
