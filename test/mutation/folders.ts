/** What is mutated together, and the suites that must notice. Globs are relative to the repository. */
export interface MutatedFolder {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
}

const userApi = 'services/user-api';
const tests = 'test/services/user-api';

/** The text of pages, which browsers look at in suites that take too long for every mutant. */
const pages = [
  `!${userApi}/auth/permissions-page.ts`,
  `!${userApi}/auth/password-resets/reset-page.ts`,
  `!${userApi}/http/problem-pages.ts`,
];

/**
 * By name. Suites that start processes are left out: a mutant is active in the process of the tests alone. So are those that stop, freeze or promote
 * servers, and others that would run for seconds for every mutant that they reach, such as the coherence suite.
 */
export const folders: Readonly<Record<string, MutatedFolder>> = {
  capacity: {
    mutate: ['lib/capacity/**/*.ts'],
    tests: ['capacity', 'sizing', 'plan', 'cost', 'mistakes', 'size-limits'].map(
      (name) => `test/lib/${name}.test.ts`,
    ),
  },
  'rate-limit': {
    mutate: [`${userApi}/rate-limit/**/*.ts`],
    tests: [
      `${tests}/rate-limit/**/*.test.ts`,
      `${tests}/{app/admission,http/routes}.test.ts`,
      `!${tests}/rate-limit/{across-processes,cluster,redis-outage}.test.ts`,
    ],
  },
  queue: {
    mutate: [`${userApi}/queue/**/*.ts`],
    tests: [`${tests}/queue/**/*.test.ts`, `!${tests}/queue/outbox.test.ts`],
  },
  database: {
    mutate: [`${userApi}/database/**/*.ts`, `!${userApi}/database/drizzle.config.ts`],
    tests: [
      `${tests}/database/**/*.test.ts`,
      `!${tests}/database/{availability,frozen-servers,lagging-replica,refused-writes}.test.ts`,
    ],
  },
  cache: {
    mutate: [`${userApi}/{cache,redis}/**/*.ts`],
    tests: [
      `${tests}/{cache,redis}/*.test.ts`,
      `${tests}/app/fast-path/past-memory.test.ts`,
      `${tests}/rate-limit/cluster.test.ts`,
    ],
  },
  http: {
    mutate: [`${userApi}/{app,http}/**/*.ts`, ...pages],
    tests: [
      `${tests}/{app,http}/**/*.test.ts`,
      `${tests}/*.test.ts`,
      `!${tests}/{main,rolling-restart}.test.ts`,
      // Seconds for every mutant that an API reaches; server.test.ts has the same limits.
      `!${tests}/app/slow-clients.test.ts`,
    ],
  },
  auth: {
    mutate: [
      `${userApi}/auth/**/*.ts`,
      ...pages,
      // What of it does not run while it is loaded, only drizzle-kit runs, in the process that compares it with the migrations.
      `!${userApi}/auth/{,api-keys/}schema.ts`,
    ],
    tests: [
      `${tests}/auth/**/*.test.ts`,
      `!${tests}/auth/{administer,session-race}.test.ts`,
      // Each of these takes seconds for every mutant that it reaches, and quicker suites reach the same.
      `!${tests}/auth/{database,last-administrator,login-storm,permission-cells,published-keys,recent-login,reset-page}.test.ts`,
      `!${tests}/auth/api-keys/api-key-memory.test.ts`,
    ],
  },
  'lambda-workers': {
    mutate: ['lambda-workers/**/*.ts'],
    tests: [
      'test/lambda-workers/**/*.test.ts',
      '!test/lambda-workers/email/{handler,queue-to-mailbox,writer-change}.test.ts',
    ],
  },
};
