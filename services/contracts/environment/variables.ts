import { z } from 'zod';
import { fraction, keysAndValues, listOf, urlOf, variable, wholeNumber } from './variable.ts';

const httpUrl = urlOf('http:', 'https:');
const postgresUrl = urlOf('postgres:', 'postgresql:');
const redisUrl = urlOf('redis:', 'rediss:');

/** Whether `text` is a JSON object that has `member`; what is in it is the reader's business. */
function isJsonObjectWith(member: string, text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && member in value;
  } catch {
    return false;
  }
}

/**
 * Every environment variable that any program here reads. The table in `docs/environment.md` is generated from it,
 * and a test fails when a template of the infrastructure sets one that is not here.
 */
export const environmentVariables = {
  STAGE: variable({
    type: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,19}$/)
      .default('local'),
    description: 'Name of the stage, as it appears in logs.',
    takes: 'lower-case letters, digits and hyphens, at most 20, starting with a letter',
    readBy: ['user-api', 'migrate', 'email-worker', 'maintenance'],
  }),
  HOST: variable({
    type: z.string().default('127.0.0.1'),
    description:
      'Address the API listens on: loopback unless told otherwise; `0.0.0.0` in the container.',
    takes: 'an IP address or a host name',
    readBy: ['user-api', 'start'],
  }),
  PORT: variable({
    type: wholeNumber(0, 65_535).default(3000),
    description: 'Port the API listens on; 0 takes any free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['user-api', 'start'],
  }),
  LOG_LEVEL: variable({
    type: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    description: 'Least severe level that is logged.',
    takes: 'one of trace, debug, info, warn, error, fatal, silent',
    readBy: ['user-api', 'migrate', 'email-worker', 'maintenance'],
  }),
  DATABASE_URL: variable({
    type: postgresUrl,
    description:
      'The PostgreSQL writer. For `npm start`: when set, no PostgreSQL is started and this one is used.',
    takes: 'a URL such as postgres://user:password@host:5432/database',
    readBy: ['user-api', 'migrate', 'email-worker', 'maintenance', 'start'],
    example: 'postgres://headroom:secret@127.0.0.1:5432/headroom',
  }),
  DATABASE_READER_URLS: variable({
    type: listOf(postgresUrl),
    description: 'PostgreSQL readers, separated by commas. Unset: reads go to the writer.',
    takes:
      'one or more URLs such as postgres://user:password@host:5432/database, separated by commas',
    readBy: ['user-api', 'start'],
  }),
  DATABASE_AUTHENTICATION: variable({
    type: z.enum(['password', 'iam']).default('password'),
    description:
      'How to log in to PostgreSQL: with the password in the URL, or with a short-lived IAM token made for each connection.',
    takes: 'password or iam',
    readBy: ['user-api', 'email-worker', 'maintenance'],
  }),
  DATABASE_TLS: variable({
    type: z.enum(['disable', 'verify']).default('disable'),
    description:
      'Whether connections to PostgreSQL are encrypted, with the certificate checked against the Amazon RDS authorities and those Node.js trusts.',
    takes: 'disable or verify',
    readBy: ['user-api', 'migrate', 'email-worker', 'maintenance'],
  }),
  DATABASE_SECRET_ARN: variable({
    type: z.string().startsWith('arn:').optional(),
    description:
      'Secrets Manager secret with the user name and password that migrations log in with, in place of those in DATABASE_URL.',
    takes: 'the ARN of a secret',
    readBy: ['migrate'],
  }),
  DATABASE_POOL_SIZE: variable({
    type: wholeNumber(1, 500).default(10),
    description: 'Most connections that one process opens to the writer, and to each reader.',
    takes: 'a whole number from 1 to 500',
    readBy: ['user-api'],
  }),
  DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(2_000),
    description:
      'Longest that one statement may run, in milliseconds, before PostgreSQL cancels it.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api', 'email-worker', 'maintenance'],
  }),
  REDIS_URL: variable({
    type: redisUrl.optional(),
    description:
      'Redis or Valkey. Unset: the API works without one; `npm start` uses a redis-server or valkey-server found on the PATH.',
    takes: 'a URL such as redis://host:6379 or rediss://host:6379',
    readBy: ['user-api', 'start'],
  }),
  SESSION_REDIS_URL: variable({
    type: redisUrl.optional(),
    description:
      'Redis or Valkey of the sessions, where they are kept apart from what may be evicted; REDIS_USERNAME and REDIS_PASSWORD are good there, too. Unset: they are in REDIS_URL.',
    takes: 'a URL such as redis://host:6379 or rediss://host:6379',
    readBy: ['user-api'],
  }),
  REDIS_MODE: variable({
    type: z.enum(['single', 'cluster']).default('single'),
    description:
      'Whether REDIS_URL is one server, or a node of a Redis Cluster to ask for the others.',
    takes: 'single or cluster',
    readBy: ['user-api'],
  }),
  REDIS_USERNAME: variable({
    type: z.string().optional(),
    description: 'Redis user name, in place of one in REDIS_URL.',
    takes: 'a user name',
    readBy: ['user-api'],
  }),
  REDIS_PASSWORD: variable({
    type: z.string().optional(),
    description: 'Redis password, in place of one in REDIS_URL.',
    takes: 'a password',
    readBy: ['user-api'],
    secret: true,
  }),
  REDIS_COMMAND_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(1, 10_000).default(100),
    description:
      'Longest wait for one Redis command, in milliseconds; a read that waited so long goes on to the database.',
    takes: 'a whole number from 1 to 10000',
    readBy: ['user-api'],
  }),
  NEAR_CACHE_BYTES: variable({
    type: wholeNumber(0, 8_589_934_592).default(134_217_728),
    description:
      'Most memory that one process uses for users and pages of lists ready to be answered, in bytes: some 150,000 users at the default. 0 keeps none. It counts towards the heap of Node.js, so leave that twice as much.',
    takes: 'a whole number from 0 to 8589934592',
    readBy: ['user-api'],
  }),
  DATABASE_READS_MAXIMUM: variable({
    type: wholeNumber(1, 10_000).default(200),
    description:
      'Most reads that one process has wait for the database at once, because no cache could answer them; what comes above that is answered 503 with Retry-After.',
    takes: 'a whole number from 1 to 10000',
    readBy: ['user-api'],
  }),
  AWS_REGION: variable({
    type: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .default('us-east-1'),
    description:
      'AWS region of the queues, of SES and of IAM tokens; set by Lambda and ECS themselves.',
    takes: 'the code of a region, such as eu-west-1',
    readBy: ['user-api', 'migrate', 'email-worker', 'maintenance', 'start'],
  }),
  SQS_ENDPOINT: variable({
    type: httpUrl.optional(),
    description:
      'Endpoint of SQS. Unset: that of AWS. For `npm start`: when set, no local SQS is started; EMAIL_QUEUE_URL must then name a queue there.',
    takes: 'a URL such as http://127.0.0.1:4566',
    readBy: ['user-api', 'start'],
  }),
  EMAIL_QUEUE_URL: variable({
    type: httpUrl,
    description: 'Queue of the email worker.',
    takes: 'the URL of an SQS queue',
    readBy: ['user-api', 'start'],
  }),
  EMAIL_TRANSPORT: variable({
    type: z.enum(['folder', 'ses']).default('folder'),
    description: 'Where email goes: files in MAILBOX_DIRECTORY, or Amazon SES.',
    takes: 'folder or ses',
    readBy: ['email-worker'],
  }),
  EMAIL_SENDER: variable({
    type: z
      .string()
      .regex(/^[^\r\n]+$/)
      .default('Headroom <no-reply@headroom.example>'),
    description:
      'Sender of every email; with SES its address or domain must be a verified identity.',
    takes: 'an address such as "Headroom <no-reply@example.com>"',
    readBy: ['email-worker'],
  }),
  MAILBOX_DIRECTORY: variable({
    type: z.string().default('.local/mailbox'),
    description: 'Folder that receives one .eml file per email when EMAIL_TRANSPORT is folder.',
    takes: 'the path of a folder',
    readBy: ['email-worker'],
  }),
  MAILBOX_PORT: variable({
    type: wholeNumber(0, 65_535).default(8025),
    description: 'Port of the local mailbox page; 0 takes any free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['start'],
  }),
  LOCAL_DIRECTORY: variable({
    type: z.string().default('.local'),
    description: 'Folder that `npm start` keeps its data, logs and mailbox in.',
    takes: 'the path of a folder that may be written to',
    readBy: ['start'],
  }),
  REQUEST_BODY_LIMIT_BYTES: variable({
    type: wholeNumber(1_024, 10_485_760).default(65_536),
    description: 'Largest request body that is read, in bytes; a larger one is answered 413.',
    takes: 'a whole number from 1024 to 10485760',
    readBy: ['user-api'],
  }),
  TRUSTED_PROXY_HOPS: variable({
    type: wholeNumber(0, 10).default(0),
    description:
      'Proxies in front of the API that each append to X-Forwarded-For the address that called them; the client is looked for so many entries from the right. 0: the header is not read, and the address of the socket counts. Behind CloudFront and a load balancer: 2.',
    takes: 'a whole number from 0 to 10',
    readBy: ['user-api'],
  }),
  TRUSTED_PROXY_NETWORKS: variable({
    type: listOf(z.union([z.cidrv4(), z.cidrv6()])),
    description:
      'Networks that those proxies call from, separated by commas: an entry of X-Forwarded-For is believed only if it was appended by a hop in one of them. Unset: hops are only counted.',
    takes: 'one or more networks such as 10.0.0.0/16 or 2001:db8::/56, separated by commas',
    readBy: ['user-api'],
  }),
  RATE_LIMITS: variable({
    type: listOf(z.string().regex(/^[a-z][a-z0-9-]*=\d{1,8}\/\d{1,5}$/)),
    description:
      'Other limits than the default ones, by policy, in requests per seconds; docs/rate-limiting.md has the policies.',
    takes: '<policy>=<requests>/<seconds>, separated by commas, such as reads=5000/60,logins=20/60',
    readBy: ['user-api'],
  }),
  RATE_LIMIT_EXPECTED_PROCESSES: variable({
    type: wholeNumber(1, 100_000).default(1),
    description:
      'Processes of the API that share the traffic, as they usually are. Leases are sized by it, and while Redis is absent or down each process allows this fraction of every limit.',
    takes: 'a whole number from 1 to 100000',
    readBy: ['user-api'],
  }),
  RATE_LIMIT_KEY_SECRET: variable({
    type: z.string().min(16).optional(),
    description:
      'Key of the digests that stand for clients in Redis, the same for all processes; with it, addresses cannot be found out from the digests by trying all. Unset: one derived from SERVICE_SECRET.',
    takes: 'at least 16 characters',
    readBy: ['user-api'],
    secret: true,
  }),
  KEEP_ALIVE_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(0, 600_000).default(72_000),
    description:
      'How long an idle client connection stays open, in milliseconds. It must be longer than the idle timeout of the load balancer in front (60 s), or clients see 502s.',
    takes: 'a whole number from 0 to 600000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_DELAY_MILLISECONDS: variable({
    type: wholeNumber(0, 300_000).default(0),
    description:
      'How long the service goes on answering after SIGTERM with readiness failing, in milliseconds, so that a load balancer can take it out first.',
    takes: 'a whole number from 0 to 300000',
    readBy: ['user-api'],
  }),
  SHUTDOWN_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(100, 300_000).default(10_000),
    description:
      'Longest that requests in flight are waited for after the delay, in milliseconds, before connections are cut.',
    takes: 'a whole number from 100 to 300000',
    readBy: ['user-api'],
  }),
  INTERNAL_HOST: variable({
    type: z.string().default('127.0.0.1'),
    description:
      'Address the internal port listens on: loopback unless told otherwise; in the container `0.0.0.0`, where only the collector of metrics may reach it.',
    takes: 'an IP address or a host name',
    readBy: ['user-api'],
  }),
  INTERNAL_PORT: variable({
    type: wholeNumber(0, 65_535).optional(),
    description:
      'Port of metrics and, for whoever is on the machine itself, of the log level and diagnostics; 0 takes any free one. Never behind the load balancer. Unset: there is none; `npm start` takes a free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['user-api', 'start'],
    example: '9464',
  }),
  DIAGNOSTICS_DIRECTORY: variable({
    type: z.string().optional(),
    description:
      'Folder for heap snapshots and CPU profiles, which hold personal data and secrets: files are for this user only. Unset: none can be taken.',
    takes: 'the path of a folder that may be written to',
    readBy: ['user-api'],
    example: '/tmp/diagnostics',
  }),
  ACCESS_LOG_ONE_HIT_IN: variable({
    type: wholeNumber(1, 1_000_000).default(1_000),
    description:
      "Of so many successful answers out of this process's memory, one gets a line in the log; 1 logs all of them. All other requests always get one.",
    takes: 'a whole number from 1 to 1000000',
    readBy: ['user-api'],
  }),
  SLOW_REQUEST_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(500),
    description: 'A request that takes longer, in milliseconds, is logged as slow, as a warning.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api'],
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable({
    type: httpUrl.optional(),
    description:
      'Collector of traces, by the OpenTelemetry Protocol over HTTP; spans go to `/v1/traces` below it. Unset: nothing is recorded.',
    takes: 'a URL such as http://127.0.0.1:4318',
    readBy: ['user-api', 'email-worker'],
  }),
  OTEL_EXPORTER_OTLP_HEADERS: variable({
    type: keysAndValues(),
    description: 'Headers for the collector of traces, such as its key.',
    takes: '<name>=<value>, separated by commas, such as x-api-key=secret',
    readBy: ['user-api', 'email-worker'],
    secret: true,
  }),
  OTEL_TRACES_SAMPLER_ARG: variable({
    type: fraction().default(0.01),
    description:
      'Fraction of requests that are traced, of those whose caller has not decided it in `traceparent`. A process begins at most 100 traces a second, whoever decides.',
    takes: 'a number from 0 to 1',
    readBy: ['user-api'],
  }),
  SERVICE_SECRET: variable({
    type: z.string().min(32).max(1_024),
    description:
      'Secret of the API, the same for all processes, at random. Keys for cursors, Idempotency-Keys, digests of clients and, unless ACCESS_TOKEN_KEYS is set, access tokens are derived from it: changing it ends logins, and clients begin lists anew.',
    takes: 'at least 32 characters, such as `openssl rand -base64 48` prints',
    readBy: ['user-api'],
    secret: true,
  }),
  CORS_ALLOWED_ORIGINS: variable({
    type: listOf(
      z.string().refine((text) => httpUrl.safeParse(text).success && new URL(text).origin === text),
    ),
    description:
      'Web origins whose pages may call the API from a browser, separated by commas. Unset: those of other origins may not.',
    takes:
      'one or more origins such as https://www.example.com, without a path, separated by commas',
    readBy: ['user-api'],
  }),
  REQUEST_DEADLINE_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(10_000),
    description:
      'Longest that a request may take, in milliseconds, from the end of its headers; then it is answered 503, or 408 if its body is not there yet.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api'],
  }),
  ACCESS_TOKEN_KEYS: variable({
    type: z
      .string()
      .refine((text) => isJsonObjectWith('keys', text))
      .optional(),
    description:
      'Keys that access tokens are signed with, the same for all processes. Made by `createSigningKeySet`, renewed by `rotateSigningKeys`. Unset: one key, derived from SERVICE_SECRET.',
    takes: 'a JSON object {"keys": […]} of private ES256 keys, each with kid and activeFrom',
    readBy: ['user-api'],
    secret: true,
  }),
  ACCESS_TOKEN_ISSUER: variable({
    type: httpUrl.default('http://127.0.0.1:3000'),
    description: 'Who issues access tokens: the public URL of the API, the same for all processes.',
    takes: 'a URL such as https://api.example.com',
    readBy: ['user-api'],
  }),
  ACCESS_TOKEN_AUDIENCE: variable({
    type: z.string().min(1).max(200).default('headroom-local'),
    description:
      'What access tokens are for. Must differ between stages, so that the tokens of one are nothing in another.',
    takes: 'a text of 1 to 200 characters',
    readBy: ['user-api'],
  }),
  PASSWORD_HASH_CONCURRENCY: variable({
    type: wholeNumber(1, 64).optional(),
    description:
      'Most passwords that a process hashes at once. Each takes a thread, 19 MiB and a core; above 2, raise UV_THREADPOOL_SIZE to at least twice as many. Unset: half of the cores, at least 1 and at most 2.',
    takes: 'a whole number from 1 to 64',
    readBy: ['user-api'],
  }),
  PASSWORD_RESET_URL: variable({
    type: httpUrl.default('http://127.0.0.1:3000/reset-password'),
    description:
      'Page that the links to a new password lead to; the secret is appended as a fragment (`#token=…`), which browsers do not send to servers.',
    takes: 'a URL such as https://www.example.com/reset-password',
    readBy: ['email-worker'],
  }),
} as const;
