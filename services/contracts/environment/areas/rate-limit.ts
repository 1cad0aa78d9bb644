import { z } from 'zod';
import { listOf, variable, wholeNumber } from '../variable.ts';

/** How much a client may ask for. */
export const rateLimitVariables = {
  RATE_LIMITS: variable({
    type: listOf(z.string().regex(/^[a-z][a-z0-9-]*=\d{1,8}\/\d{1,5}$/)),
    description:
      'Other limits than the default ones, by policy, in requests per seconds; docs/rate-limiting.md has the policies.',
    takes:
      '<policy>=<requests>/<seconds>, separated by commas, such as reads=5000/60,logins=20/60; the policies are reads, creates, updates, deletes, logins, unknown-api-keys',
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
} as const;
