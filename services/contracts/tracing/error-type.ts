/** What OpenTelemetry calls `error.type`: the code of an error where it has one, and else its class. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
