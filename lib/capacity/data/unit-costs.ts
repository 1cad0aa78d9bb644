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
  databaseIosPerWrite: {
    value: 4,
    unit: 'billed I/Os a write',
    source: `log records of a row, its indexes and its outbox row, in units of 4 KiB, shared by commits that come together; ${ASSUMED}`,
  },
  databaseIosPerRead: {
    value: 0.1,
    unit: 'billed I/Os a read that reaches the database',
    source: `most pages are in the instance's memory; ${ASSUMED}`,
  },
  databaseDailyChangeShare: {
    value: 0.02,
    unit: 'of the data a day',
    source: `what a day adds to the backups; ${ASSUMED}`,
  },
  logBytesPerRequest: {
    value: 400,
    unit: 'bytes a line',
    source: `the service's line for a request, as JSON; answers from a task's own memory get one line in a thousand; ${ASSUMED}`,
  },
  logBytesPerMessage: {
    value: 600,
    unit: 'bytes a message',
    source: `a worker's line, and its share of Lambda's own three an invocation; ${ASSUMED}`,
  },
  accessLogBytesPerRequest: {
    value: 100,
    unit: 'bytes a request, compressed',
    source: `a line of CloudFront's or the load balancer's access log; ${ASSUMED}`,
  },
  flowLogBytesPerTask: {
    value: 30_000_000,
    unit: 'bytes a task and month',
    source: `some 60 connections that last, a record of 110 bytes each in 10 minutes; ${ASSUMED}`,
  },
  headerBytes: {
    value: 900,
    unit: 'bytes a request, of it and of its response',
    source: `what browsers and this API send; ${ASSUMED}`,
  },
  cacheBytesPerUserOverPayload: {
    value: 250,
    unit: 'bytes an entry over its payload',
    source: `key, version, expiry and the server's own structures; ${ASSUMED}`,
  },
} as const satisfies Record<string, UnitCost>;
