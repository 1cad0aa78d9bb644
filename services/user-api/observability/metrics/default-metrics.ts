interface DefaultMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels?: readonly string[];
  readonly help: string;
}

const gauge = (name: string, help: string, ...labels: readonly string[]): DefaultMetric => ({
  name,
  type: 'gauge',
  help,
  ...(labels.length === 0 ? {} : { labels }),
});

const counter = (name: string, help: string): DefaultMetric => ({ name, type: 'counter', help });

/**
 * What prom-client adds by itself, for the docs; a test compares the list with what it does. On Linux: elsewhere there are no open
 * files and no virtual memory.
 */
export const defaultMetrics: readonly DefaultMetric[] = [
  counter('process_cpu_user_seconds_total', 'CPU time in the program itself.'),
  counter('process_cpu_system_seconds_total', 'CPU time in the operating system for it.'),
  counter('process_cpu_seconds_total', 'Both together.'),
  gauge('process_start_time_seconds', 'When it started, since 1970.'),
  gauge('process_resident_memory_bytes', 'Memory that it takes, as the operating system counts.'),
  gauge('process_virtual_memory_bytes', 'Memory that it could address.'),
  gauge('process_heap_bytes', 'Its heap, as the operating system counts.'),
  gauge('process_open_fds', 'Open files and sockets.'),
  gauge('process_max_fds', 'As many as it may open.'),
  gauge(
    'nodejs_eventloop_lag_seconds',
    'How late an immediate callback came, at the time of asking.',
  ),
  gauge(
    'nodejs_eventloop_lag_min_seconds',
    'Event-loop delay since the last time of asking: the shortest.',
  ),
  gauge('nodejs_eventloop_lag_max_seconds', 'The longest.'),
  gauge('nodejs_eventloop_lag_mean_seconds', 'The mean.'),
  gauge('nodejs_eventloop_lag_stddev_seconds', 'The standard deviation.'),
  gauge('nodejs_eventloop_lag_p50_seconds', 'The median.'),
  gauge('nodejs_eventloop_lag_p90_seconds', 'The 90th percentile.'),
  gauge('nodejs_eventloop_lag_p99_seconds', 'The 99th percentile.'),
  gauge('nodejs_active_resources', 'What keeps the event loop alive, by type.', 'type'),
  gauge('nodejs_active_resources_total', 'All of it.'),
  gauge('nodejs_active_handles', 'Handles of libuv, by type.', 'type'),
  gauge('nodejs_active_handles_total', 'All of them.'),
  gauge('nodejs_active_requests', 'Requests of libuv, by type.', 'type'),
  gauge('nodejs_active_requests_total', 'All of them.'),
  gauge('nodejs_heap_size_total_bytes', "V8's heap."),
  gauge('nodejs_heap_size_used_bytes', 'As much of it as is in use.'),
  gauge('nodejs_external_memory_bytes', 'Memory of buffers and the like, outside of it.'),
  gauge('nodejs_heap_space_size_total_bytes', "V8's heap, by space.", 'space'),
  gauge('nodejs_heap_space_size_used_bytes', 'As much of it as is in use.', 'space'),
  gauge('nodejs_heap_space_size_available_bytes', 'As much of it as is free.', 'space'),
  gauge(
    'nodejs_version_info',
    'Always 1; the version of Node.js in its labels.',
    'version',
    'major',
    'minor',
    'patch',
  ),
  {
    name: 'nodejs_gc_duration_seconds',
    type: 'histogram',
    labels: ['kind'],
    help: 'Garbage collections, by kind: major, minor, incremental or weakcb.',
  },
];
