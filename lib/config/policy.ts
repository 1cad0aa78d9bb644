import { z } from 'zod';
import { isFixedImage } from './fixed-image.ts';
import { percent, wholeNumber } from './validate.ts';

/** The days that CloudWatch Logs can keep a log group for (PutRetentionPolicy in its API reference). */
const logRetentionDays = z.literal(
  [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922],
  'It takes one of the periods that CloudWatch Logs has: 1, 3, 5, 7, 14, 30, 60, 90, … days',
);

const emailAddresses = z.array(z.email('It takes an email address')).readonly();

/**
 * Services that tasks and functions call, by the last part of their endpoints' names (`com.amazonaws.<region>.<name>`;
 * https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html).
 */
export const endpointServices = [
  'logs',
  'sqs',
  'ecr.dkr',
  'ecr.api',
  'secretsmanager',
  'email',
] as const;
export type EndpointService = (typeof endpointServices)[number];

/** A time of more load that is known in advance, such as a sale day: the service is scaled out before it begins. */
const scheduledEvent = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, 'It takes lower-case letters, digits and hyphens, at most 30'),
  /** When the load comes, in UTC. */
  from: z.iso.datetime('It takes a time in UTC such as 2027-11-26T00:00:00Z'),
  /** When it is over, in UTC. */
  until: z.iso.datetime('It takes a time in UTC such as 2027-11-27T00:00:00Z'),
  /** Its peak as a multiple of the ordinary one. */
  peakFactor: z.number('It takes a number').min(1, 'It takes at least 1'),
});

/** What is different about one alarm; its threshold is among the stage's overrides. */
const alarmOverride = z.strictObject({
  severity: z.enum(['page', 'ticket'], 'It takes page or ticket').optional(),
  /** Nobody is notified of it, for this reason. */
  silenced: z.string('It takes a reason').min(10, 'It takes a reason, in a sentence').optional(),
});

/** A secret that is there already, by its whole ARN: Secrets Manager adds six characters to the name, and to IAM an ARN without them is another one. */
const secretArn = z
  .string()
  .regex(
    /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
    'It takes the ARN of a secret of Secrets Manager, with the six characters at its end',
  );

const HTTPS_ADDRESS = 'It takes an address such as https://otlp.example.com, on port 443';

/** Where traces and metrics of the programs go, through an OpenTelemetry Collector beside each task. */
const telemetry = z.strictObject({
  /** Takes the OpenTelemetry Protocol over HTTP. On port 443, as nothing else is let out of the tasks. */
  endpoint: z
    .url({ protocol: /^https$/, error: HTTPS_ADDRESS })
    .refine((address) => URL.canParse(address) && new URL(address).port === '', HTTPS_ADDRESS),
  /** The collector for ARM, with its `prometheus` receiver, such as a copy of `otel/opentelemetry-collector-contrib` in the account's registry. */
  collectorImage: z
    .string()
    .refine(isFixedImage, 'It takes an image with a digest or with a tag other than latest'),
  /** Secret with the value of the `Authorization` header that the endpoint asks for. Workers, which cannot keep it, send nothing then. @default none */
  authorizationSecretArn: secretArn.optional(),
});

/** What a stage's owners want and what they can pay, apart from how much it carries. */
export const policy = z.strictObject({
  /**
   * Share of requests that must not fail, in percent of a month: the objective of the burn-rate alarms. From 99.9 on the loss of a
   * zone is survived without a person's help: a replica of the database and of the cache in another zone, a task in each zone.
   */
  availabilityPercent: z
    .number('It takes a number')
    .min(90, 'It takes 90 to 99.99')
    .max(99.99, 'It takes 90 to 99.99'),
  /** `protected` stacks and data cannot be deleted without lifting the protection first; `disposable` ones can. */
  protection: z.enum(['disposable', 'protected'], 'It takes disposable or protected'),
  /** Most that the stage may cost a month, in US dollars at list prices; a plan that costs more is refused. */
  spendCeilingDollars: z.number('It takes a number').positive('It takes more than 0'),
  /** How long what the stage writes is kept, in days. */
  retention: z.strictObject({
    logDays: logRetentionDays,
    /** How far back the database can be restored to any second. */
    databaseBackupDays: wholeNumber(1, 35),
    /** Daily snapshots of the cache. 0: none are made. */
    cacheSnapshotDays: wholeNumber(0, 35),
    /** Access logs of the load balancer, the edge and the firewall. */
    accessLogDays: wholeNumber(1, 3_653),
  }),
  /** Who is notified of alarms and of the budget, by email: `page` is for what cannot wait, `ticket` for what can. */
  contacts: z.strictObject({ page: emailAddresses, ticket: emailAddresses }),
  /**
   * Where `docs/runbook.md` is read: every alarm links to its section of it.
   * @default the file's name, as a repository does not know where it is hosted
   */
  runbookUrl: z
    .url('It takes an address such as https://example.com/headroom/runbook.md')
    .optional(),
  /** What is different here about single alarms, by their names without the stage (`api/Service-user-api/Latency`). @default nothing */
  alarmOverrides: z.record(z.string(), alarmOverride).optional(),
  email: z.strictObject({
    /** Domain that emails are sent from; its DNS needs the records that the workers stack puts out. */
    domain: z.hostname('It takes a domain such as example.com'),
    /** Sender of every email, such as `Headroom <no-reply@example.com>`, at `domain`. */
    sender: z.string().min(3, 'It takes a sender such as "Headroom <no-reply@example.com>"'),
  }),
  /** Name under which the system answers. @default the name that CloudFront gives it */
  domain: z
    .strictObject({
      name: z.hostname('It takes a name such as api.example.com'),
      /** Route 53 zone that gets the records and proves the certificate. */
      hostedZoneId: z
        .string()
        .regex(/^Z[A-Z0-9]{5,31}$/, 'It takes the id of a hosted zone such as Z0123456789ABC'),
      hostedZoneName: z.hostname('It takes a domain such as example.com'),
    })
    .optional(),
  network: z.strictObject({
    /** IPv4 range of the VPC; stages that are to be peered need ranges that do not overlap. */
    addressRange: z.cidrv4('It takes an IPv4 range such as 10.0.0.0/16'),
    /** `each-zone` survives the loss of a zone; `one` is cheap. */
    natGateways: z.enum(['one', 'each-zone'], 'It takes one or each-zone'),
    /** AWS services that are reached without NAT: those for which that is cheaper at the stage's load, or those that are listed. */
    interfaceEndpoints: z.union(
      [z.literal('where-cheaper'), z.array(z.enum(endpointServices)).readonly()],
      `It takes where-cheaper or a list of ${endpointServices.join(', ')}`,
    ),
  }),
  database: z.strictObject({
    /** `serverless` grows and shrinks with the load; `provisioned` is cheaper for a load that is always there. */
    mode: z.enum(['serverless', 'provisioned'], 'It takes serverless or provisioned'),
    /** Aurora I/O-Optimized: more expensive instances and storage, free I/O. `where-cheaper` decides by the plan's I/O. */
    ioOptimized: z.enum(
      ['where-cheaper', 'always', 'never'],
      'It takes where-cheaper, always or never',
    ),
    /** Level of CloudWatch Database Insights; `advanced` keeps 15 months and costs by vCPU. */
    insights: z.enum(['standard', 'advanced'], 'It takes standard or advanced'),
  }),
  cacheEngine: z.enum(['valkey', 'redis'], 'It takes valkey or redis'),
  /** Share of the tasks beyond the smallest number that run on Spot capacity, which AWS may take back, in percent. */
  spotPercent: percent,
  /**
   * How the service is scaled, beside its target for requests: `targets` aims at an average CPU; `steps` adds 3 tasks when CPU stays
   * over 70 % for 5 minutes, and takes one away when it stays below 30 % for 15.
   */
  scaling: z.enum(['targets', 'steps'], 'It takes targets or steps'),
  events: z.array(scheduledEvent).readonly(),
  /**
   * Off by default: the alarms go by AWS's own metrics and need none of it, and a collector takes memory of every task.
   * @default nothing is sent
   */
  telemetry: telemetry.optional(),
  /**
   * Secret with the keys that access tokens are signed with, as `npm run administer -- rotate-signing-keys` prints them: tasks get its value as
   * `ACCESS_TOKEN_KEYS` when they start. `docs/authentication.md` says how it is made and changed without ending a login.
   * @default none: the key is derived from the service's own secret, and cannot be rotated
   */
  accessTokenKeysSecretArn: secretArn.optional(),
  /**
   * Whether operators may run commands in tasks (`aws ecs execute-command`), such as to take a CPU profile. IAM decides who; each task gets the
   * right to open the channels of Session Manager. @default false
   */
  executeCommand: z.boolean('It takes true or false').optional(),
  edge: z.strictObject({
    /** CloudFront's locations: `100` is North America and Europe, `200` adds Asia and Africa, `all` is everywhere. */
    priceClass: z.enum(['100', '200', 'all'], 'It takes 100, 200 or all'),
    /** One more cache, in the stage's region, that all locations ask before the load balancer. */
    originShield: z.boolean('It takes true or false'),
  }),
  /** Quotas that AWS has raised for the account, by their code (`lib/capacity/data/quotas.ts` has those that are checked). */
  grantedQuotas: z.record(z.string(), z.number('It takes a number').positive()).optional(),
});

/** What a stage's owners want, as {@link policy} validates it. */
export type Policy = z.output<typeof policy>;
