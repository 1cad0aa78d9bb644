import { z } from 'zod';
import { authenticationVariables } from './areas/authentication.ts';
import { cacheVariables } from './areas/cache.ts';
import { databaseVariables } from './areas/database.ts';
import { emailVariables } from './areas/email.ts';
import { httpVariables } from './areas/http.ts';
import { observabilityVariables } from './areas/observability.ts';
import { listOf, variable, wholeNumber } from './variable.ts';

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
    description: 'Name of the stage, for logs.',
    takes: 'lower-case letters, digits and hyphens, at most 20, starting with a letter',
    readBy: ['user-api', 'migrate', 'queue-worker', 'maintenance'],
  }),
  AWS_REGION: variable({
    type: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .default('us-east-1'),
    description: 'AWS region of the queues, of SES and of IAM tokens; Lambda and ECS set it.',
    takes: 'the code of a region, such as eu-west-1',
    readBy: ['user-api', 'migrate', 'administer', 'queue-worker', 'maintenance', 'start'],
  }),
  LOCAL_DIRECTORY: variable({
    type: z.string().default('.local'),
    description: 'Folder of the data, logs and mailbox of `npm start`.',
    takes: 'the path of a folder that may be written to',
    readBy: ['start'],
  }),
  ...httpVariables,
  ...databaseVariables,
  ...cacheVariables,
  ...emailVariables,
  ...authenticationVariables,
  RATE_LIMITS: variable({
    type: listOf(z.string().regex(/^[a-z][a-z0-9-]*=\d{1,8}\/\d{1,5}$/)),
    description:
      'Limits in place of the default ones, by policy, in requests per seconds; docs/rate-limiting.md lists the policies.',
    takes:
      '<policy>=<requests>/<seconds>, separated by commas, such as reads=5000/60,logins=20/60; the policies are reads, creates, updates, deletes, logins, unknown-api-keys',
    readBy: ['user-api'],
  }),
  RATE_LIMIT_EXPECTED_PROCESSES: variable({
    type: wholeNumber(1, 100_000).default(1),
    description:
      'Usual number of processes of the API. It sizes leases, and while Redis is absent or down each process allows this fraction of every limit.',
    takes: 'a whole number from 1 to 100000',
    readBy: ['user-api'],
  }),
  RATE_LIMIT_KEY_SECRET: variable({
    type: z.string().min(16).optional(),
    description:
      'Key of the digests of clients in Redis, the same for all processes, which prevents finding addresses by trying all. Unset: derived from SERVICE_SECRET.',
    takes: 'at least 16 characters',
    readBy: ['user-api'],
    secret: true,
  }),
  ...observabilityVariables,
} as const;
