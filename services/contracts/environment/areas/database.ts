import { z } from 'zod';
import { listOf, urlOf, variable, wholeNumber } from '../variable.ts';

const postgresUrl = urlOf('postgres:', 'postgresql:');

export const databaseVariables = {
  DATABASE_URL: variable({
    type: postgresUrl,
    description:
      'The PostgreSQL writer. For `npm start`: when set, no PostgreSQL is started and this one is used.',
    takes: 'a URL such as postgres://user:password@host:5432/database',
    readBy: ['user-api', 'migrate', 'administer', 'queue-worker', 'maintenance', 'start'],
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
      'Login to PostgreSQL: with a password, in the URL or in DATABASE_PASSWORD_FILE, or with a short-lived IAM token for each connection.',
    takes: 'password or iam',
    readBy: ['user-api', 'administer', 'queue-worker', 'maintenance'],
  }),
  DATABASE_PASSWORD_FILE: variable({
    type: z.string().min(1).optional(),
    description:
      'File with the password, in place of the one in the URLs; read for each new connection, so that the password can be rotated.',
    takes: 'the path of a file',
    readBy: ['user-api', 'migrate', 'administer', 'queue-worker', 'maintenance'],
  }),
  DATABASE_TLS: variable({
    type: z.enum(['disable', 'verify']).default('disable'),
    description:
      'Whether connections to PostgreSQL are encrypted and the certificate is verified, against the Amazon RDS authorities and those that Node.js trusts.',
    takes: 'disable or verify',
    readBy: ['user-api', 'migrate', 'administer', 'queue-worker', 'maintenance'],
  }),
  DATABASE_SECRET_ARN: variable({
    type: z.string().startsWith('arn:').optional(),
    description:
      'Secrets Manager secret with the user name and password of migrations, in place of those in DATABASE_URL.',
    takes: 'the ARN of a secret',
    readBy: ['migrate'],
  }),
  DATABASE_POOL_SIZE: variable({
    type: wholeNumber(1, 500).default(10),
    description: 'Maximum of connections of a process to the writer, and to each reader.',
    takes: 'a whole number from 1 to 500',
    readBy: ['user-api'],
  }),
  DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: variable({
    type: wholeNumber(1, 600_000).default(2_000),
    description: 'Timeout of one statement, in milliseconds, after which PostgreSQL cancels it.',
    takes: 'a whole number from 1 to 600000',
    readBy: ['user-api', 'queue-worker', 'maintenance'],
  }),
  DATABASE_READS_MAXIMUM: variable({
    type: wholeNumber(1, 10_000).default(200),
    description:
      'Maximum of reads of a process that wait for the database at once, after a miss in the caches; further ones get 503 with Retry-After.',
    takes: 'a whole number from 1 to 10000',
    readBy: ['user-api'],
  }),
} as const;
