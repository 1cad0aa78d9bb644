import { z } from 'zod';
import { urlOf, variable, wholeNumber } from '../variable.ts';

const redisUrl = urlOf('redis:', 'rediss:');

/** Redis, and what is kept in memory. */
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
      'Most memory that one process uses for users and pages of lists ready to be answered, in bytes: some 100,000 users at the default. 0 keeps none. It counts towards the heap of Node.js, so leave that twice as much.',
    takes: 'a whole number from 0 to 8589934592',
    readBy: ['user-api'],
  }),
} as const;
