import { z } from 'zod';
import { endpointServices } from './policy.ts';
import { percent, wholeNumber } from './validate.ts';

/** Aurora capacity units: 2 GiB of memory with matching CPU each, in halves. */
const capacityUnits = z
  .number('It takes 0.5 to 256 in steps of 0.5')
  .min(0.5, 'It takes 0.5 to 256 in steps of 0.5')
  .max(256, 'It takes 0.5 to 256 in steps of 0.5')
  .multipleOf(0.5, 'It takes 0.5 to 256 in steps of 0.5');

/** What a planned event asks for. */
export const eventTasks = z.strictObject({
  name: z.string(),
  /** When the tasks have to be there, and when they may go, in UTC. */
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  minimumTasks: wholeNumber(1, 5_000),
});

/** How large the parts of a stage are; `lib/capacity` computes it, and a stage may override each figure by name. */
export const stageSize = z.strictObject({
  network: z.strictObject({
    /** IPv4 range of the VPC. */
    addressRange: z.cidrv4('It takes an IPv4 range such as 10.0.0.0/16'),
    natGateways: wholeNumber(1, 6),
    /** AWS services that have an interface endpoint in the VPC. */
    interfaceEndpoints: z.array(z.enum(endpointServices)).readonly(),
  }),
  database: z.strictObject({
    mode: z.enum(['serverless', 'provisioned'], 'It takes serverless or provisioned'),
    /** Least capacity of each instance, in Aurora capacity units. Only for serverless. */
    minimumCapacityUnits: capacityUnits,
    /** Most capacity of each instance, in Aurora capacity units. Only for serverless. */
    maximumCapacityUnits: capacityUnits,
    /** Class of each instance, such as `db.r8g.xlarge`. Only for provisioned. */
    instanceClass: z
      .string()
      .regex(/^db\.[a-z0-9]+\.[a-z0-9]+$/, 'It takes one such as db.r8g.xlarge'),
    /** Readers beside the writer that are always there. 0: the writer answers reads, too. */
    readers: wholeNumber(0, 15),
    /** Readers that there may be when automatic scaling has added some; as many as `readers` where it is off. */
    maximumReaders: wholeNumber(0, 15),
    /** Average CPU of the readers that their scaling aims at, in percent. */
    readerCpuTargetPercent: wholeNumber(10, 90),
    /** `max_connections` of each instance. */
    maximumConnections: wholeNumber(10, 262_143),
    /** How far back the database can be restored to any second, in days. */
    backupRetentionDays: wholeNumber(1, 35),
    ioOptimized: z.boolean('It takes true or false'),
    insights: z.enum(['standard', 'advanced'], 'It takes standard or advanced'),
  }),
  cache: z.strictObject({
    engine: z.enum(['valkey', 'redis'], 'It takes valkey or redis'),
    /** Such as `cache.t4g.micro` or `cache.r7g.large`. */
    nodeType: z
      .string()
      .regex(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'It takes one such as cache.r7g.large'),
    /** Node type of the group that keeps sessions, which never evicts, apart from the cache, which does. */
    sessionNodeType: z
      .string()
      .regex(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'It takes one such as cache.t4g.small'),
    /** Shards, each a primary with its replicas. More than 1 needs cluster mode, which is on then and only then. */
    shards: wholeNumber(1, 500),
    /** Replicas beside each primary; with at least one, a lost primary is replaced automatically. */
    replicas: wholeNumber(0, 5),
    /** How long daily snapshots are kept, in days. 0: none are made. */
    snapshotRetentionDays: wholeNumber(0, 35),
  }),
  service: z.strictObject({
    /** CPU of one task: 1,024 units are one vCPU. */
    cpuUnits: wholeNumber(256, 16_384),
    /** Memory of one task, in MiB. */
    memoryMebibytes: wholeNumber(512, 122_880),
    /** Tasks that each service has at least, so that a lost task, or zone where the stage must survive that, is not all of it. */
    redundantTasks: wholeNumber(1, 6),
    /** Of this and the following numbers, which are for all of the traffic, each service has its share (`ServiceDefinition.trafficPercent`). */
    minimumTasks: wholeNumber(1, 5_000),
    /** Tasks at the mean load of the month: what shares such as a process's part of a rate limit are made for. */
    typicalTasks: wholeNumber(1, 5_000),
    maximumTasks: wholeNumber(1, 5_000),
    /** Average CPU of the tasks that scaling aims at, in percent. */
    cpuTargetPercent: wholeNumber(10, 90),
    /** Requests per minute and task that scaling aims at. */
    requestsPerTaskPerMinute: wholeNumber(60, 10_000_000),
    /** Whether CPU is scaled by in steps (out by 3 tasks over 70 %, in below 30 %) instead of by its target. */
    stepScaling: z.boolean('It takes true or false'),
    /** Memory that a task uses for answers that are ready to be given, in bytes. */
    nearCacheBytes: wholeNumber(0, 8_589_934_592),
    /** Most connections that a task opens to the writer, and to the readers. */
    databasePoolSize: wholeNumber(1, 500),
    /** Share of the tasks beyond `minimumTasks` that run on Spot capacity, in percent. */
    spotPercent: percent,
    /** Times at which the least number of tasks is raised in advance. */
    events: z.array(eventTasks).readonly(),
  }),
  loadBalancer: z.strictObject({
    /** Capacity that is reserved, in load balancer capacity units (LCUs). 0: none, it grows by itself in minutes. */
    reservedCapacityUnits: wholeNumber(0, 100_000),
  }),
  edge: z.strictObject({
    /** CloudFront's locations: `100` is North America and Europe, `200` adds Asia and Africa, `all` is everywhere. */
    priceClass: z.enum(['100', '200', 'all'], 'It takes 100, 200 or all'),
    originShield: z.boolean('It takes true or false'),
    /** Requests in 5 minutes after which an address is blocked. */
    requestsPerAddress: wholeNumber(10, 2_000_000_000),
    /** Requests to log in, to sign up or for a new password, in 5 minutes, after which an address is blocked. */
    loginsPerAddress: wholeNumber(10, 2_000_000_000),
  }),
  /** Most invocations at once, by name of the worker: 2 to 1,000. */
  workerConcurrency: z.record(z.string(), wholeNumber(2, 1_000)),
});

/** When a stage's alarms go off; `lib/capacity` computes it, and a stage may override each threshold by name. */
export const alarmThresholds = z.strictObject({
  /** Share of requests answered 5xx above which is paged, in percent. */
  errorRatePercent: z.number().positive('It takes more than 0').max(100, 'It takes at most 100'),
  /** Requests a minute below which the error rate says nothing: one failure of two is not an outage. */
  errorRateMinimumRequests: wholeNumber(1, 100_000_000),
  /** 95th percentile of the service's response time above which is paged, in seconds. */
  latencySeconds: z.number().positive('It takes more than 0'),
  /** 99th percentile of the service's response time above which a ticket is made, in seconds. */
  tailLatencySeconds: z.number().positive('It takes more than 0'),
  /** Average CPU of service, database and cache above which a ticket is made, in percent. */
  cpuPercent: wholeNumber(1, 100),
  /** Average memory of the tasks above which a ticket is made, in percent. */
  memoryPercent: wholeNumber(1, 100),
  /** Share of requests that must not fail, in percent: what the burn-rate alarms measure by. */
  availabilityPercent: z.number().min(90).max(99.99),
  /** Connections to one database instance above which is paged. */
  databaseConnections: wholeNumber(1, 262_143),
  /** Free memory of a database instance below which a ticket is made, in bytes. */
  databaseFreeMemoryBytes: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  /** Data in the database above which a ticket is made, in bytes: it has outgrown what the stage was planned for. */
  databaseStorageBytes: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  /** How far a reader may be behind before a ticket is made, in milliseconds. */
  replicaLagMilliseconds: wholeNumber(1, 3_600_000),
  /** Memory of a cache node above which a ticket is made, in percent. */
  cacheMemoryPercent: wholeNumber(1, 100),
  /** Age of the oldest message in a queue above which is paged, in seconds. */
  queueAgeSeconds: wholeNumber(60, 1_209_600),
  /** Requests a minute that the firewall blocks above which a ticket is made. */
  blockedRequestsPerMinute: wholeNumber(1, 1_000_000_000),
});

/** How large the parts of a stage are, as {@link stageSize} validates it. */
export type StageSize = z.output<typeof stageSize>;
/** When a stage's alarms go off, as {@link alarmThresholds} validates it. */
export type AlarmThresholds = z.output<typeof alarmThresholds>;
