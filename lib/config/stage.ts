import { z } from 'zod';
import { findFargateProblem } from './fargate.ts';
import { wholeNumber } from './validate.ts';

/** Aurora capacity units: 2 GiB of memory with matching CPU each, in halves. */
const capacityUnits = z
  .number()
  .min(0.5, 'It takes 0.5 to 256 in steps of 0.5')
  .max(256, 'It takes 0.5 to 256 in steps of 0.5')
  .multipleOf(0.5, 'It takes 0.5 to 256 in steps of 0.5');

/** The days that CloudWatch Logs can keep a log group for (PutRetentionPolicy in its API reference). */
const logRetentionDays = z.literal(
  [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922],
  'It takes one of the periods that CloudWatch Logs has: 1, 3, 5, 7, 14, 30, 60, 90, … days',
);

const emailAddresses = z.array(z.email('It takes an email address')).readonly();

const size = z.strictObject({
  network: z.strictObject({
    /** IPv4 range of the VPC; stages that are to be peered need ranges that do not overlap. */
    addressRange: z.cidrv4('It takes an IPv4 range such as 10.0.0.0/16'),
    /** NAT gateways: one for each zone survives the loss of a zone, one in all is cheap. */
    natGateways: wholeNumber(1, 6),
  }),
  database: z.strictObject({
    /** Least capacity of each instance, in Aurora capacity units. */
    minimumCapacityUnits: capacityUnits,
    /** Most capacity of each instance, in Aurora capacity units; `max_connections` follows from it. */
    maximumCapacityUnits: capacityUnits,
    /** Readers beside the writer. 0: the writer answers reads, too. */
    readers: wholeNumber(0, 15),
    /** How far back the database can be restored to any second, in days. */
    backupRetentionDays: wholeNumber(1, 35),
  }),
  cache: z.strictObject({
    engine: z.enum(['valkey', 'redis'], 'It takes valkey or redis'),
    /** Such as `cache.t4g.micro` or `cache.r7g.large`. */
    nodeType: z
      .string()
      .regex(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'It takes one such as cache.r7g.large'),
    /** Replicas beside the primary; with at least one, a lost primary is replaced automatically. */
    replicas: wholeNumber(0, 5),
    /** How long daily snapshots are kept, in days. 0: none are made. */
    snapshotRetentionDays: wholeNumber(0, 35),
  }),
  service: z.strictObject({
    /** CPU of one task: 1,024 units are one vCPU. */
    cpuUnits: wholeNumber(256, 16_384),
    /** Memory of one task, in MiB. */
    memoryMebibytes: wholeNumber(512, 122_880),
    minimumTasks: wholeNumber(1, 5_000),
    maximumTasks: wholeNumber(1, 5_000),
    /** Average CPU of the tasks that scaling aims at, in percent. */
    cpuTargetPercent: wholeNumber(10, 90),
    /** Requests per minute and task that scaling aims at. */
    requestsPerTaskPerMinute: wholeNumber(60, 10_000_000),
    /** Most connections that a task opens to the writer, and to the readers. */
    databasePoolSize: wholeNumber(1, 500),
  }),
  edge: z.strictObject({
    /** CloudFront's locations: `100` is North America and Europe, `200` adds Asia and Africa, `all` is everywhere. */
    priceClass: z.enum(['100', '200', 'all'], 'It takes 100, 200 or all'),
    /** Requests in 5 minutes after which an address is blocked. */
    requestsPerAddress: wholeNumber(10, 2_000_000_000),
  }),
});

const alarms = z.strictObject({
  /** Share of requests answered 5xx above which is paged, in percent. */
  errorRatePercent: z.number().positive('It takes more than 0').max(100, 'It takes at most 100'),
  /** Requests a minute below which the error rate says nothing: one failure of two is not an outage. */
  errorRateMinimumRequests: wholeNumber(1, 1_000_000),
  /** 95th percentile of the service's response time above which is paged, in seconds. */
  latencySeconds: z.number().positive('It takes more than 0'),
  /** Average CPU of service, database and cache above which a ticket is made, in percent. */
  cpuPercent: wholeNumber(1, 100),
  /** Age of the oldest message in a queue above which a ticket is made, in seconds. */
  queueAgeSeconds: wholeNumber(60, 1_209_600),
});

/** One stage: everything that differs between two deployments of the system. */
export const stageConfiguration = z
  .strictObject({
    /** Name of the stage; part of every stack's name (`headroom-<name>-<part>`). */
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]{0,19}$/,
        'It takes lower-case letters, digits and hyphens, at most 20',
      ),
    /** AWS region of everything but CloudFront and what belongs to it, which is in us-east-1. */
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'It takes a region such as eu-west-1'),
    /**
     * Letters of the zones to use; fixed here, so that synthesis asks AWS nothing. Zones differ from account to account: CloudFront
     * cannot reach some of them (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
     */
    availabilityZones: z
      .array(z.string().regex(/^[a-z]$/, 'It takes the letter of a zone'))
      .min(2, 'It takes at least two zones, as load balancers and Aurora do')
      .max(6, 'It takes at most 6 zones')
      .readonly(),
    /** `protected` stacks and data cannot be deleted without lifting the protection first; `disposable` ones can. */
    protection: z.enum(['disposable', 'protected'], 'It takes disposable or protected'),
    logRetentionDays,
    /** Who is told of alarms, by email: `page` is for what cannot wait, `ticket` for what can. */
    contacts: z.strictObject({ page: emailAddresses, ticket: emailAddresses }),
    email: z.strictObject({
      /** Domain that emails are sent from; its DNS needs the records that the workers stack puts out. */
      domain: z.hostname('It takes a domain such as example.com'),
      /** Sender of every email, such as `Headroom <no-reply@example.com>`, at `domain`. */
      sender: z.string().min(3, 'It takes a sender such as "Headroom <no-reply@example.com>"'),
    }),
    size,
    alarms,
  })
  .superRefine((stage, context) => {
    const problem = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    const { database, service, network } = stage.size;
    if (database.minimumCapacityUnits > database.maximumCapacityUnits) {
      problem('size.database.minimumCapacityUnits', 'It takes at most maximumCapacityUnits');
    }
    if (service.minimumTasks > service.maximumTasks) {
      problem('size.service.minimumTasks', 'It takes at most maximumTasks');
    }
    const fargateProblem = findFargateProblem(service.cpuUnits, service.memoryMebibytes);
    if (fargateProblem !== undefined) problem('size.service.memoryMebibytes', fargateProblem);
    if (network.natGateways > stage.availabilityZones.length) {
      problem('size.network.natGateways', 'It takes at most one for each zone');
    }
    if (!stage.email.sender.replace(/>$/, '').endsWith(`@${stage.email.domain}`)) {
      problem(
        'email.sender',
        `It takes an address at ${stage.email.domain}, as SES refuses others`,
      );
    }
    if (stage.protection === 'protected' && stage.size.cache.replicas === 0) {
      problem('size.cache.replicas', 'It takes at least 1 where protection is protected');
    }
  });

/** One stage, as {@link stageConfiguration} validates it. */
export type StageConfiguration = z.output<typeof stageConfiguration>;
/** How large the parts of a stage are. */
export type StageSize = StageConfiguration['size'];
/** When a stage's alarms go off. */
export type AlarmThresholds = StageConfiguration['alarms'];
