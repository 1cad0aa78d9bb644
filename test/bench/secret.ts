/** The API's secret in benchmarks: floors sign cursors as it does. */
export const BENCHMARK_SECRET = 'a secret of benchmarks, with enough characters';
