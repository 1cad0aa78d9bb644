/** One figure that sizes are computed from, and where it comes from. */
export interface UnitCost {
  readonly value: number;
  readonly unit: string;
  /** Where it was measured or published, or why it is assumed. */
  readonly source: string;
}

const MEASURED_HERE =
  'measured on one core of a developer machine, November 2026; ratios are better than absolutes there';
const ASSUMED = 'assumed until measured';

/**
 * What one unit of work costs, in one place: to size with your own measurements, change them here.
 * `npm run bench` measures the CPU of a request; `npm run load` on a deployed stage measures the rest.
 */
export const unitCosts = {
  nearCacheHitMicroseconds: {
    value: 27,
    unit: 'µs of CPU a request',
    source: `a request through Hono, ${MEASURED_HERE}`,
  },
  redisHitMicroseconds: {
    value: 43,
    unit: 'µs of CPU a request',
    source: `a request through Hono with one Redis GET, ${MEASURED_HERE}`,
  },
  databaseReadMicroseconds: {
    value: 120,
    unit: 'µs of CPU a request',
    source: `a missed read: the Redis GET, one prepared select, and the fill; ${ASSUMED}`,
  },
  writeMicroseconds: {
    value: 250,
    unit: 'µs of CPU a request',
    source: `validation, one statement with its outbox row, the caches told, the event sent; ${ASSUMED}`,
  },
  loginMicroseconds: {
    value: 40_000,
    unit: 'µs of CPU a login',
    source: `argon2id over 19 MiB, twice; the recommended parameters of OWASP's password storage cheat sheet; ${ASSUMED}`,
  },
  requestOverheadMicroseconds: {
    value: 25,
    unit: 'µs of CPU a request',
    source: `limits, metrics, request id, log line, and the kernel's network work, which the figures above leave out; ${ASSUMED}`,
  },
  vcpuOfMeasuredCore: {
    value: 0.7,
    unit: 'of the measured core',
    source: `what a Fargate vCPU on Graviton does, compared with the core of the measurements; ${ASSUMED}`,
  },
  processMebibytes: {
    value: 360,
    unit: 'MiB a process',
    source: `the service under load with its near cache and two passwords being hashed; ${ASSUMED}`,
  },
  databaseReadsPerVcpu: {
    value: 5_000,
    unit: 'primary-key selects a second and vCPU',
    source: `below the 7,800 a vCPU of Amazon's sysbench figures for Aurora (500,000 on 64 vCPUs); ${ASSUMED}`,
  },
  databaseWritesPerVcpu: {
    value: 1_000,
    unit: 'writes a second and vCPU',
    source: `below the 3,100 a vCPU of Amazon's sysbench figures for Aurora (200,000 on 64 vCPUs), as each has an outbox row; ${ASSUMED}`,
  },
  databaseBytesPerUser: {
    value: 1_200,
    unit: 'bytes a user',
    source: `a row, its indexes, its share of outbox and idempotency records, and PostgreSQL's dead rows; ${ASSUMED}`,
  },
  cacheBytesPerUserOverPayload: {
    value: 250,
    unit: 'bytes an entry over its payload',
    source: `key, version, expiry and the server's own structures; ${ASSUMED}`,
  },
} as const satisfies Record<string, UnitCost>;
