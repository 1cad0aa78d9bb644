import type { Environment } from '../contracts/environment/read.ts';

/** The environment variables that the service reads. */
export const variables = [
  'STAGE',
  'HOST',
  'PORT',
  'LOG_LEVEL',
  'DATABASE_URL',
  'DATABASE_READER_URLS',
  'DATABASE_AUTHENTICATION',
  'DATABASE_TLS',
  'DATABASE_POOL_SIZE',
  'DATABASE_STATEMENT_TIMEOUT_MILLISECONDS',
  'REDIS_URL',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_COMMAND_TIMEOUT_MILLISECONDS',
  'NEAR_CACHE_BYTES',
  'DATABASE_READS_MAXIMUM',
  'AWS_REGION',
  'SQS_ENDPOINT',
  'EMAIL_QUEUE_URL',
  'REQUEST_BODY_LIMIT_BYTES',
  'KEEP_ALIVE_TIMEOUT_MILLISECONDS',
  'SHUTDOWN_DELAY_MILLISECONDS',
  'SHUTDOWN_TIMEOUT_MILLISECONDS',
] as const;

export type Settings = Environment<(typeof variables)[number]>;
