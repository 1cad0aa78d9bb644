type MetricType = 'counter' | 'gauge' | 'histogram';

/**
 * What prom-client adds by itself, for the docs; a test compares the list with what it does. On Linux: elsewhere there are no open
 * files and no virtual memory.
 */
const namesByType: Readonly<Record<MetricType, readonly string[]>> = {
  counter: [
    'process_cpu_user_seconds_total',
    'process_cpu_system_seconds_total',
    'process_cpu_seconds_total',
  ],
  gauge: [
    'process_start_time_seconds',
    'process_resident_memory_bytes',
    'process_virtual_memory_bytes',
    'process_heap_bytes',
    'process_open_fds',
    'process_max_fds',
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_lag_min_seconds',
    'nodejs_eventloop_lag_max_seconds',
    'nodejs_eventloop_lag_mean_seconds',
    'nodejs_eventloop_lag_stddev_seconds',
    'nodejs_eventloop_lag_p50_seconds',
    'nodejs_eventloop_lag_p90_seconds',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_active_resources',
    'nodejs_active_resources_total',
    'nodejs_active_handles',
    'nodejs_active_handles_total',
    'nodejs_active_requests',
    'nodejs_active_requests_total',
    'nodejs_heap_size_total_bytes',
    'nodejs_heap_size_used_bytes',
    'nodejs_external_memory_bytes',
    'nodejs_heap_space_size_total_bytes',
    'nodejs_heap_space_size_used_bytes',
    'nodejs_heap_space_size_available_bytes',
    'nodejs_version_info',
  ],
  histogram: ['nodejs_gc_duration_seconds'],
};

export const defaultMetrics: readonly { readonly name: string; readonly type: string }[] =
  Object.entries(namesByType).flatMap(([type, names]) => names.map((name) => ({ name, type })));
