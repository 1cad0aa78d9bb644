import { describe, expect, it } from 'vitest';
import {
  connectionsOfInstance,
  instanceClasses,
} from '../../lib/capacity/data/database-instances.ts';
import { FigureBook } from '../../lib/capacity/data/figures.ts';
import { findLoadProblems, findSizeProblems } from '../../lib/capacity/limits/size-violations.ts';
import { MOST_READERS, readerVcpus, writerVcpus } from '../../lib/capacity/load/database-load.ts';
import { type PlannedLoad, plannedLoad } from '../../lib/capacity/load/load.ts';
import { findSessionProblems } from '../../lib/capacity/size/size-cache.ts';
import { sizeDatabase } from '../../lib/capacity/size/size-database.ts';
import { sizeNetwork } from '../../lib/capacity/size/size-network.ts';
import { sizeStage } from '../../lib/capacity/size/size-stage.ts';
import { sizeWorkers, workersOf } from '../../lib/capacity/size/size-workers.ts';
import type { StageSize } from '../../lib/config/size.ts';
import type { StageDefinition } from '../../lib/config/stage.ts';
import { dev } from '../../lib/config/stages/dev.ts';
import { production } from '../../lib/config/stages/production.ts';
import { type WorkerDefinition, workers } from '../../lib/config/workers.ts';

type Database = StageDefinition['policy']['database'];

const withDatabase = (stage: StageDefinition, change: Partial<Database>): StageDefinition => ({
  ...stage,
  policy: { ...stage.policy, database: { ...stage.policy.database, ...change } },
});
const load = plannedLoad(production);
const atEvent = (change: Partial<PlannedLoad['event']>): PlannedLoad => ({
  ...load,
  event: { ...load.event, databaseReads: 0, writes: 0, ...change },
});
/** A database has to have `connections` for the load. */
const databaseOf = (stage: StageDefinition, some: PlannedLoad, connections = 100) => {
  const book = new FigureBook(stage.overrides ?? {});
  return { size: sizeDatabase(book, stage, some, connections), figures: book.figures };
};

describe('the problems of a size', () => {
  const { size } = sizeStage(production);
  const problemsWith = (change: { [Part in keyof StageSize]?: Partial<StageSize[Part]> }) =>
    findSizeProblems(production, {
      ...size,
      service: { ...size.service, ...change.service },
      database: { ...size.database, ...change.database },
      network: { ...size.network, ...change.network },
      cache: { ...size.cache, ...change.cache },
    });

  it.each([
    [
      { database: { minimumCapacityUnits: 8, maximumCapacityUnits: 4 } },
      'database.minimumCapacityUnits is 8. It takes at most database.maximumCapacityUnits (4).',
    ],
    [
      { database: { readers: 5, maximumReaders: 4 } },
      'database.readers is 5. It takes at most database.maximumReaders (4).',
    ],
    [
      { service: { minimumTasks: 31, maximumTasks: 30 } },
      'service.minimumTasks is 31. It takes at most service.maximumTasks (30).',
    ],
    [
      { service: { cpuUnits: 1_024, memoryMebibytes: 2_500 } },
      'service.memoryMebibytes is 2500. Fargate gives 1024 CPU units 2048 to 8192 MiB in steps of 1024.',
    ],
    [
      { network: { natGateways: 4 } },
      'network.natGateways is 4. It takes at most one for each zone.',
    ],
    [
      { cache: { replicas: 0 } },
      'cache.replicas is 0. It takes at least 1 where protection is protected.',
    ],
  ])('with %j, are named with what they take', (change, message) => {
    expect(problemsWith(change)).toEqual([`Stage "production": ${message}`]);
  });

  it.each([
    [{ database: { minimumCapacityUnits: 8, maximumCapacityUnits: 8 } }],
    [{ database: { readers: 4, maximumReaders: 4 } }],
    [{ service: { minimumTasks: 30, maximumTasks: 30 } }],
    [{ network: { natGateways: 3 } }],
    [{ cache: { replicas: 1 } }],
  ])('with %j, which is the most there can be, are none', (change) => {
    expect(problemsWith(change)).toEqual([]);
  });

  it('of a stage that may be deleted, allow a cache without a replica', () => {
    const { size } = sizeStage(dev);
    expect(size.cache.replicas).toBe(0);
    expect(findSizeProblems(dev, size)).toEqual([]);
  });
});

describe('the problems of a load', () => {
  const perVcpu = (
    vcpusOf: (some: PlannedLoad['event']) => number,
    rate: 'writes' | 'databaseReads',
  ) => vcpusOf(atEvent({ [rate]: 1 }).event);

  it.each([
    ['serverless', 64, ', take provisioned instances (policy.database.mode)'],
    ['provisioned', 192, ''],
  ] as const)(
    'of writes, with %s, begin beyond %i vCPUs and name a way out',
    (mode, most, wayOut) => {
      const stage = withDatabase(production, { mode });
      const writes = most / perVcpu(writerVcpus, 'writes');
      expect(findLoadProblems(stage, atEvent({ writes: writes * 0.999 }))).toEqual([]);
      const [problem, ...more] = findLoadProblems(stage, atEvent({ writes: writes * 1.01 }));
      expect(more).toEqual([]);
      expect(problem).toContain(`but the largest ${mode} one has ${most}. `);
      expect(problem).toContain(
        `Write less (workload.readPercent)${wayOut}, or spread users over several clusters.`,
      );
    },
  );

  it('of reads, begin beyond as many readers as a cluster has', () => {
    const stage = withDatabase(production, { mode: 'provisioned' });
    const databaseReads = (MOST_READERS * 192) / perVcpu(readerVcpus, 'databaseReads');
    const readersOnly = (share: number) =>
      findLoadProblems(stage, atEvent({ databaseReads: databaseReads * share })).filter((problem) =>
        problem.includes('readers of'),
      );
    expect(readersOnly(0.999)).toEqual([]);
    expect(readersOnly(1.01)).toEqual([
      expect.stringMatching(
        /^Stage "production": [\d,]+ reads\/s of the database at the highest peak need 16 readers of 192 vCPUs, but a cluster has at most 15\.$/,
      ),
    ]);
  });

  it('of sessions, count the users after the growth of the planning time', () => {
    const users = (growthPercentPerYear: number) =>
      findSessionProblems(
        {
          ...production,
          workload: { ...production.workload, users: 300_000_000, growthPercentPerYear },
        },
        load,
      );
    expect(users(0)).toEqual([]);
    expect(users(300)).toEqual([expect.stringContaining('the sessions of ')]);
  });
});

describe('the database of a stage', () => {
  const provisioned = withDatabase(production, { mode: 'provisioned' });
  const quiet = atEvent({});

  it('with a connection more than an instance takes, has the next larger one', () => {
    const [first, second] = instanceClasses;
    if (first === undefined || second === undefined) throw new Error('There are too few classes.');
    const most = connectionsOfInstance(first);
    expect(databaseOf(provisioned, quiet, most - 1).size.instanceClass).toBe(first.name);
    expect(databaseOf(provisioned, quiet, most).size.instanceClass).toBe(second.name);
  });

  it('with as many vCPUs as an instance has, has that instance, and the largest beyond all', () => {
    const writes = (vcpus: number) =>
      atEvent({ writes: vcpus / writerVcpus(atEvent({ writes: 1 }).event) });
    const instanceFor = (vcpus: number) =>
      databaseOf(provisioned, writes(vcpus)).size.instanceClass;
    expect(writerVcpus(writes(4).event)).toBe(4);
    expect(instanceFor(4)).toBe('db.r8g.xlarge');
    expect(instanceFor(4.1)).toBe('db.r8g.2xlarge');
    expect(instanceFor(500)).toBe('db.r8g.48xlarge');
  });

  it('by its mode, has the connections of its instance or of its capacity', () => {
    const connectionsWhen = (mode: Database['mode']) => {
      const { size, figures } = databaseOf(withDatabase(production, { mode }), quiet);
      const why = figures.find(({ name }) => name === 'database.maximumConnections')?.why;
      return { connections: size.maximumConnections, why };
    };
    expect(connectionsWhen('provisioned')).toEqual({
      connections: 1_802,
      why: "Aurora's default for db.r8g.large",
    });
    expect(connectionsWhen('serverless')).toEqual({
      connections: 823,
      why: "Aurora's default for 2 to 4 capacity units",
    });
  });

  it('by the size of its instances, has as many readers as its reads need', () => {
    const reads = 40 / readerVcpus(atEvent({ databaseReads: 1 }).event);
    const mean = { ...load.mean, databaseReads: reads, writes: 0 };
    const readersWhen = (stage: StageDefinition) =>
      databaseOf(stage, { ...quiet, mean }).size.readers;
    const units = { to: 16, because: 'a test of small instances' };
    const overrides = { 'database.maximumCapacityUnits': units };
    // 16 units are four vCPUs, and db.r8g.2xlarge has eight.
    expect(readersWhen({ ...production, overrides })).toBe(10);
    const instanceClass = { to: 'db.r8g.2xlarge', because: 'a test of other instances' };
    expect(
      readersWhen({ ...provisioned, overrides: { 'database.instanceClass': instanceClass } }),
    ).toBe(5);
  });

  it.each([
    ['always', true],
    ['never', false],
  ] as const)('with I/O-Optimized %s, has it: %s', (ioOptimized, expected) => {
    const { size } = databaseOf(withDatabase(production, { ioOptimized }), load);
    expect(size.ioOptimized).toBe(expected);
  });
});

describe('workers', () => {
  const [email] = workers;
  if (email === undefined) throw new Error('There is no worker.');
  const { demand: _, ...restOfEmail } = email;
  const idle: WorkerDefinition = { ...restOfEmail, name: 'idle', maximumConcurrency: 7 };

  it('without a stated demand, run as often at once as they say', () => {
    const book = new FigureBook({});
    expect(sizeWorkers(book, load, [idle])).toEqual({ idle: 7 });
    expect(book.figures).toEqual([
      { name: 'workerConcurrency.idle', value: 7, why: 'as lib/config/workers.ts says' },
    ]);
  });

  it('of a stage, run as often at once as it is sized for, others as they say', () => {
    const sized = { ...sizeStage(production).size, workerConcurrency: { email: 33 } };
    expect(
      workersOf(sized, [email, idle]).map(({ maximumConcurrency }) => maximumConcurrency),
    ).toEqual([33, 7]);
  });

  it('that send no email, add nothing to what goes to SES', () => {
    const emailTraffic = (worker: WorkerDefinition) => {
      const book = new FigureBook({});
      sizeNetwork(book, production, load, [worker]);
      const why = book.figures.find(({ name }) => name === 'network.interfaceEndpoints')?.why ?? '';
      return /email ([\d.,]+)/.exec(why)?.[1];
    };
    expect(Number(emailTraffic(email)?.replace(',', ''))).toBeGreaterThan(0);
    expect(emailTraffic({ ...email, sendsEmail: false })).toBe('0');
  });
});
