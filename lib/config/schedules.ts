/** A function that a schedule invokes: one entry here is one Lambda function with its schedule. */
export interface ScheduledFunctionDefinition {
  /** Name of the function; lower-case, hyphens. */
  readonly name: string;
  /** What it does, for consoles and docs. */
  readonly description: string;
  /** Module that exports `handler`, relative to the root of the repository. */
  readonly entry: string;
  /** How long from one invocation to the next, in minutes. */
  readonly everyMinutes: number;
  /** Memory of the function, in MiB. */
  readonly memoryMebibytes: number;
  /** Longest that one invocation may run, in seconds; less than the time to the next, as only one runs at a time. */
  readonly timeoutSeconds: number;
  /** How often an invocation that failed is tried again: 0 to 2. */
  readonly retries: number;
  /** Invocations that waited longer are given up, in seconds: 60 to 21,600. */
  readonly maximumAgeSeconds: number;
  /** PostgreSQL role that it logs in as; migrations create it. */
  readonly databaseUser: string;
}

export const scheduledFunctions: readonly ScheduledFunctionDefinition[] = [
  {
    name: 'maintenance',
    description:
      'Removes rows of the database that no longer count, such as records of handled events.',
    entry: 'lambda-workers/maintenance/handler.ts',
    everyMinutes: 60,
    memoryMebibytes: 256,
    timeoutSeconds: 300,
    retries: 2,
    // The next one does what this one did not.
    maximumAgeSeconds: 3_600,
    databaseUser: 'headroom_maintenance',
  },
];
