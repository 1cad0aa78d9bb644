import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HIGH_LIMITS } from '../../../services/user-api/rate-limit/default-policies.ts';
import { sourceOptions } from '../../support/node-program.ts';
import { BENCHMARK_SECRET } from './cursors.ts';
import type { Addresses } from './surroundings.ts';

/** A program that can be measured, and how it is started. */
export interface Subject {
  /** How tables and plots call it. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Variables beside those of {@link commonVariables}. */
  readonly environment: Readonly<Record<string, string>>;
  /** Answers with a status below 400 once the server is ready. */
  readonly readyPath: string;
  /** Folder that must be empty at its start, told in this variable. @default none */
  readonly emptyDirectoryVariable?: string;
  /** Why it cannot be run on this machine; null when it can. */
  missing(): string | null;
}

const inRepository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Read by Headroom, the baselines and the peers alike, under Headroom's names. */
export function commonVariables(addresses: Addresses, port: number): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATABASE_URL: addresses.databaseUrl,
    DATABASE_READER_URLS: addresses.readerUrl,
    REDIS_URL: addresses.redisUrl,
    SQS_ENDPOINT: addresses.sqsEndpoint,
    EMAIL_QUEUE_URL: addresses.emailQueueUrl,
    AWS_REGION: addresses.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
}

function onNode(
  name: string,
  path: string,
  readyPath: string,
  environment: Readonly<Record<string, string>> = {},
): Subject {
  return {
    name,
    command: process.execPath,
    arguments: [...sourceOptions, inRepository(path)],
    environment,
    readyPath,
    missing: () => (existsSync(inRepository(path)) ? null : `${path} is not there yet`),
  };
}

const A_USER = '/api/v1/users/1';
const A_PAGE = '/api/v1/users?limit=20';

/**
 * The user API as production runs it, with every feature on. The limits count each request, and are as high as they can be set, so
 * that a load generator, which comes from one address, is not refused: a sliding window takes 10,000 requests at most.
 */
const HEADROOM = {
  RATE_LIMITS: HIGH_LIMITS,
  SERVICE_SECRET: BENCHMARK_SECRET,
  // Metrics are batched whether they are asked for or not; this is the port on which they are.
  INTERNAL_PORT: '0',
};
const headroomEntry = 'services/user-api/main.ts';

export const headroom = onNode('Headroom', headroomEntry, '/health/ready', HEADROOM);

/** The same without a cache in its memory, so that each read has to ask Redis, and each list the database. */
export const headroomWithoutNearCache = onNode(
  'Headroom without near cache',
  headroomEntry,
  '/health/ready',
  { ...HEADROOM, NEAR_CACHE_BYTES: '0' },
);

const baseline = (name: string, file: string, readyPath = A_USER) =>
  onNode(name, `test/performance/bench/baselines/${file}.ts`, readyPath);

/** The least code that gives the response at all: see `floors/listen.ts`. */
export const baselines = {
  bare: baseline('bare node:http', 'bare'),
  bareFewHeaders: baseline('bare node:http, 4 headers', 'bare-few-headers'),
  bareNotModified: baseline('bare node:http, 304', 'bare-not-modified'),
  redisGet: baseline('node:http + Redis GET', 'redis-get'),
  select: baseline('node:http + select', 'select'),
  selectList: baseline('node:http + select of a page', 'select-list', A_PAGE),
  create: baseline('node:http + insert', 'create', '/'),
  createAndSend: baseline('node:http + insert + SQS', 'create-and-send', '/'),
} as const;

const FLASK = inRepository('test/performance/bench/peers/flask');
const PYTHON_MODULES =
  'flask, flask_limiter, redis, hiredis, psycopg2, prometheus_client, gunicorn';
export const FLASK_PACKAGES =
  'gunicorn python3-flask python3-flask-limiter python3-redis python3-hiredis python3-psycopg2 python3-prometheus-client';

/** The Python of Debian's packages, which another one before it on the PATH does not have. */
const PYTHON = '/usr/bin/python3';

function flaskIsMissing(): string | null {
  try {
    execFileSync(PYTHON, ['-c', `import ${PYTHON_MODULES}`], { stdio: 'ignore' });
    return null;
  } catch {
    return `Debian's packages are not installed: apt-get install ${FLASK_PACKAGES}`;
  }
}

export const peers = {
  fastify: onNode('Fastify', 'test/performance/bench/peers/fastify.ts', A_USER),
  express: onNode('Express', 'test/performance/bench/peers/express.ts', A_USER),
  flask: {
    name: 'Flask + gunicorn',
    command: PYTHON,
    arguments: [
      '-m',
      'gunicorn',
      '--chdir',
      FLASK,
      '--config',
      join(FLASK, 'gunicorn.conf.py'),
      'application:app',
    ],
    environment: { PYTHONDONTWRITEBYTECODE: '1' },
    readyPath: A_USER,
    emptyDirectoryVariable: 'PROMETHEUS_MULTIPROC_DIR',
    missing: flaskIsMissing,
  } satisfies Subject,
} as const;
