import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { DEMO_USER_COUNT } from '../../../../services/user-api/users/demo-data.ts';
import { newUsers, userPages, usersById } from '../requests.ts';
import type { BenchmarkCase, Stage } from '../stage.ts';
import { baselines, headroom, headroomWithoutNearCache, peers, type Subject } from '../subjects.ts';
import { emptyQueue, ensureUsers, removeNewUsers, type Surroundings } from '../surroundings.ts';
import { closedLoopCase } from './closed-loop.ts';
import { memoryCase } from './memory.ts';
import { openLoopCase } from './open-loop.ts';
import { scalingCase } from './scaling.ts';
import { synthCase } from './synth.ts';
import { workerCase } from './worker.ts';

/** Page starts, such that each page is full of demo users. */
const LAST_PAGE_START = DEMO_USER_COUNT - 21;

/** More requests a second than any subject answers that asks the database for each. */
const DATABASE_REQUESTS_PER_SECOND = 20_000;

/** An assumption, on the low side: SES is reached over a network, and takes an email before it answers. */
const SES_MILLISECONDS = 20;

const IN_STEP =
  '“Parse and send only” sends each email as soon as it is composed. Headroom and the handler in step compose all ten, then send them, which keeps the code of one step in the processor’s caches.';

/** How many different requests a run may need when none may come twice. */
function differentRequests({ warmUpSeconds, seconds }: Stage): number {
  return Math.ceil((warmUpSeconds + seconds + 1) * DATABASE_REQUESTS_PER_SECOND);
}

async function emptyRedis({ redisUrl }: Surroundings): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.flushall();
  redis.disconnect();
}

/** Every case there is, in the order of the table. */
export function allCases(coreCount: number): readonly BenchmarkCase[] {
  const atLeast = (against: Subject, bound: number, subject: Subject = headroom) =>
    ({ subject: subject.name, against: against.name, comparison: 'speed', bound }) as const;
  const demoUsers = usersById(1, DEMO_USER_COUNT);
  return [
    closedLoopCase({
      name: 'hit',
      title: 'GET by id, near-cache hit',
      subjects: [
        headroom,
        baselines.bare,
        baselines.bareFewHeaders,
        peers.fastify,
        peers.express,
        peers.flask,
      ],
      targets: [
        atLeast(baselines.bare, 0.95),
        atLeast(peers.fastify, 2),
        atLeast(peers.express, 3),
        atLeast(peers.flask, 20),
      ],
      note: '1,000 users in turn, all of them cached. The first bare server sends the same header fields as Headroom, the other one only those four that belong to the response without any feature. The peers have no cache in memory: they read from Redis, as their documentation shows.',
      requests: () => demoUsers,
    }),
    closedLoopCase({
      name: 'not-modified',
      title: 'the same answered 304',
      subjects: [headroom, baselines.bareNotModified],
      targets: [atLeast(baselines.bareNotModified, 0.95)],
      requests: () => usersById(1, DEMO_USER_COUNT, { 'if-none-match': '"v1"' }),
      status: 304,
    }),
    closedLoopCase({
      name: 'redis-hit',
      title: 'GET by id, Redis hit',
      subjects: [headroomWithoutNearCache, baselines.redisGet],
      targets: [atLeast(baselines.redisGet, 0.85, headroomWithoutNearCache)],
      requests: () => demoUsers,
    }),
    closedLoopCase({
      name: 'miss',
      title: 'GET by id, both caches missed',
      subjects: [headroom, baselines.select],
      targets: [atLeast(baselines.select, 0.8)],
      note: 'Redis is empty when a run begins, and no user is asked for twice in it, so that each request asks Redis in vain, reads from the replica, and fills both caches.',
      prepare: async (surroundings, stage) => {
        await emptyRedis(surroundings);
        await ensureUsers(surroundings, DEMO_USER_COUNT + differentRequests(stage));
      },
      requests: (stage) =>
        usersById(DEMO_USER_COUNT + 1, DEMO_USER_COUNT + differentRequests(stage)),
    }),
    closedLoopCase({
      name: 'list',
      title: 'list of 20',
      subjects: [headroom, headroomWithoutNearCache, baselines.selectList],
      targets: [
        atLeast(baselines.selectList, 0.7),
        atLeast(baselines.selectList, 0.7, headroomWithoutNearCache),
      ],
      note: `${LAST_PAGE_START} pages of 20 in turn. The near cache keeps pages for some seconds; without it each one is selected.`,
      requests: () => userPages(LAST_PAGE_START),
    }),
    closedLoopCase({
      name: 'create',
      title: 'create, with its outbox row',
      subjects: [headroom, baselines.create, baselines.createAndSend],
      targets: [atLeast(baselines.create, 0.7), atLeast(baselines.createAndSend, 0.7)],
      note: 'Headroom also sends each event to SQS and removes it from the outbox, beside the requests. The first baseline only writes the event; the second one sends and removes it, too, with the same SDK and in the same batches.',
      prepare: (surroundings, stage) =>
        ensureUsers(surroundings, DEMO_USER_COUNT + differentRequests(stage)),
      restore: async (surroundings) => {
        await removeNewUsers(surroundings);
        await emptyQueue(surroundings);
      },
      requests: (stage) => newUsers(randomBytes(4).toString('hex'), differentRequests(stage)),
      status: 201,
    }),
    openLoopCase({
      name: 'open-loop',
      title: 'p99 at 70 % of its peak rate, open loop',
      subject: headroom,
      against: baselines.bare,
      bound: 1.5,
      requests: demoUsers,
    }),
    scalingCase({
      name: 'scaling',
      title: 'two processes on two cores',
      subject: headroom,
      baseline: baselines.bare,
      bound: 1.9,
      requests: demoUsers,
      coreCount,
    }),
    memoryCase(),
    workerCase({
      name: 'worker',
      title: 'worker, a batch of 10',
      note: `All send through the AWS SDK to a local endpoint that responds as SES does, at once. ${IN_STEP}`,
      sesMilliseconds: 0,
    }),
    workerCase({
      name: 'worker-ses',
      title: `worker, a batch of 10, SES takes ${SES_MILLISECONDS} ms`,
      note: `The same with an endpoint that takes ${SES_MILLISECONDS} ms for each email, about the fastest that SES is: a batch is then mostly waiting, and throughput says little.`,
      sesMilliseconds: SES_MILLISECONDS,
    }),
    synthCase(),
  ];
}
