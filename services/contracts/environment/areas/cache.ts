import { z } from 'zod';
import { urlOf, variable, wholeNumber } from '../variable.ts';

const redisUrl = urlOf('redis:', 'rediss:');

export const cacheVariables = {
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
      'Redis or Valkey of the sessions, separate from entries that may be evicted; with the same REDIS_USERNAME and REDIS_PASSWORD. Unset: that of REDIS_URL.',
    takes: 'a URL such as redis://host:6379 or rediss://host:6379',
    readBy: ['user-api'],
  }),
  REDIS_MODE: variable({
    type: z.enum(['single', 'cluster']).default('single'),
    description: 'Whether REDIS_URL is one server, or a node of a Redis Cluster.',
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
      'Timeout of one Redis command, in milliseconds; after it, a read goes to the database.',
    takes: 'a whole number from 1 to 10000',
    readBy: ['user-api'],
  }),
  NEAR_CACHE_BYTES: variable({
    type: wholeNumber(0, 8_589_934_592).default(134_217_728),
    description:
      'Maximum memory of the near cache of a process, in bytes: some 100,000 users at the default. 0: no near cache. The heap of Node.js must be twice as large.',
    takes: 'a whole number from 0 to 8589934592',
    readBy: ['user-api'],
  }),
} as const;
