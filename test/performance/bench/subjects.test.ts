import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { workers } from '../../../lib/config/workers.ts';
import { type Guardian, startGuardian } from '../../../services/local/process/guardian.ts';
import { insertDemoUsers } from '../../../services/user-api/users/demo-data.ts';
import {
  createMigratedDatabase,
  type TestDatabase,
  waitForReplica,
} from '../../support/database.ts';
import { createQueues } from '../../support/queues.ts';
import { describeWithRedis } from '../../support/redis.ts';
import { system } from '../../support/system.ts';
import { allCases } from './cases/cases.ts';
import { measureServer } from './cases/closed-loop.ts';
import type { Cores } from './cores.ts';
import { createAutocannon } from './generators/autocannon.ts';
import { usersById } from './requests.ts';
import { verifySameResponses } from './same-responses.ts';
import { type SubjectServer, startServer } from './server.ts';
import type { Stage } from './stage.ts';
import { baselines, peers, type Subject } from './subjects.ts';
import type { Surroundings } from './surroundings.ts';

/** Nothing is pinned: the tests share their cores. */
const cores: Cores = { pinned: false, subject: 0, second: 0, others: [0], count: 1 };

describeWithRedis('the benchmark', (redis) => {
  let guardian: Guardian;
  let database: TestDatabase;
  let directory: string;
  let stage: Stage;
  let surroundings: Surroundings;
  const servers = new Map<Subject, Promise<SubjectServer>>();

  const start = ({ environment, ...subject }: Subject) =>
    startServer({
      // What Node.js has compiled in an earlier run: starting a server takes two thirds of the time with it.
      subject: {
        ...subject,
        environment: {
          ...environment,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
        },
      },
      addresses: surroundings,
      cores,
      on: [],
      guardian,
    });

  /** Starting servers is most of the time of this suite, so each is started once, and stays. */
  async function startOnce(subject: Subject): Promise<SubjectServer> {
    const server = servers.get(subject) ?? start(subject);
    servers.set(subject, server);
    return { ...(await server), stop: async () => {} };
  }

  beforeAll(async () => {
    guardian = startGuardian();
    directory = await mkdtemp(join(tmpdir(), 'headroom-test-'));
    database = await createMigratedDatabase();
    await insertDemoUsers(database.writerUrl);
    await waitForReplica(system().postgres);
    const [email] = workers.filter(({ name }) => name === 'email');
    if (email === undefined) throw new Error('There is no worker email');
    const queues = await createQueues([email]);
    surroundings = {
      databaseUrl: database.writerUrl,
      readerUrl: database.readerUrl,
      redisUrl: redis().url,
      sqsEndpoint: system().sqs.endpoint,
      emailQueueUrl: queues.email?.url ?? '',
      region: system().sqs.region,
      redisVersion: 'unknown',
      postgresVersion: 'unknown',
      stop: async () => {},
    };
    stage = {
      cores,
      guardian,
      closedLoop: createAutocannon(cores),
      openLoop: null,
      warmUpSeconds: 0.2,
      seconds: 0.5,
      directory,
      signal: AbortSignal.timeout(60_000),
      surroundings: async () => surroundings,
      start: (subject) => startOnce(subject),
    };
  });
  afterAll(async () => {
    await Promise.all([...servers.values()].map(async (server) => (await server).stop()));
    await guardian.close();
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const loaded = ['hit', 'not-modified', 'redis-hit', 'miss', 'list', 'create'];
  const cases = allCases(cores.count).filter(({ name }) => loaded.includes(name));

  it('has a case for each way in which the API is loaded', () => {
    expect(cases.map(({ name }) => name)).toEqual(loaded);
  });

  it.each(cases)('compares subjects that answer $name the same', async (benchmarkCase) => {
    const present = benchmarkCase.subjects.filter((subject) => {
      const reason = benchmarkCase.missing(subject, stage);
      if (reason !== null) console.warn(`LEFT OUT: ${subject}: ${reason}`);
      return reason === null;
    });
    expect(present.length).toBeGreaterThanOrEqual(2);
    expect(benchmarkCase.verify).toBeDefined();
    expect(await benchmarkCase.verify?.(present, stage)).toEqual(new Map());
  });

  it('finds the subject that answers differently, and shows how', async () => {
    const reasons = await verifySameResponses({
      subjects: [baselines.bareNotModified, baselines.bare],
      requests: usersById(1, 10, { 'if-none-match': '"v1"' }),
      status: 200,
      stage,
    });
    expect([...reasons.keys()]).toEqual([baselines.bareNotModified.name]);
    expect(reasons.get(baselines.bareNotModified.name)).toContain('/api/v1/users/1');
  });

  it('finds the subject that does not start, and goes on with the others', async () => {
    const reasons = await verifySameResponses({
      subjects: [peers.fastify, baselines.bare],
      requests: usersById(1, 10),
      status: 200,
      stage: {
        start: (subject) =>
          subject === peers.fastify
            ? Promise.reject(new Error('It does not start'))
            : startOnce(subject),
      },
    });
    expect(reasons).toEqual(new Map([[peers.fastify.name, 'It does not start']]));
  });

  it('measures a server that it starts, and ends it', async () => {
    const started: SubjectServer[] = [];
    const measurement = await measureServer(baselines.bare, usersById(1, 1_000), {
      ...stage,
      async start(subject) {
        const server = await start(subject);
        started.push(server);
        return server;
      },
    });
    expect(started).toHaveLength(1);
    for (const { origin } of started) await expect(fetch(origin)).rejects.toThrow();
    expect(measurement.operations).toBeGreaterThan(0);
    expect(measurement.latency?.p50).toBeLessThanOrEqual(measurement.latency?.p999 ?? 0);
    if (process.platform === 'linux') {
      expect(measurement.cpuMicrosecondsPerOperation).toBeGreaterThan(0);
    }
  });

  it('takes answers that are errors for a failure, and not for speed', async () => {
    const unknown = usersById(5_000_000, 5_000_010);
    await expect(measureServer(peers.fastify, unknown, stage)).rejects.toThrow('requests failed');
  });
});
