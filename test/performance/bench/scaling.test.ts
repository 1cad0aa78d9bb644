import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guardian, startGuardian } from '../../../services/local/process/guardian.ts';
import { scalingCase } from './cases/scaling.ts';
import { usersById } from './requests.ts';
import type { Stage } from './stage.ts';
import type { Subject } from './subjects.ts';

const subjectOf = (name: string): Subject => ({
  name,
  command: '',
  arguments: [],
  environment: {},
  readyPath: '/',
  missing: () => null,
});

function caseFor(coreCount: number) {
  return scalingCase({
    name: 'scaling',
    title: 'two on two',
    subject: subjectOf('ours'),
    baseline: subjectOf('baseline'),
    bound: 1.9,
    requests: usersById(1, 2),
    coreCount,
  });
}

let guardian: Guardian;
beforeAll(() => {
  guardian = startGuardian();
});
afterAll(() => guardian.close());

/** A machine that only notes what would run where: a server responds with 100 requests, and the baseline 1. */
function notingStage(coreCount: number): { stage: Stage; placed: string[] } {
  const all = Array.from({ length: coreCount }, (_, core) => core);
  const placed: string[] = [];
  const stage: Stage = {
    cores: {
      pinned: true,
      subject: coreCount - 1,
      second: coreCount - 2,
      others: all.slice(0, -1),
      count: coreCount,
    },
    guardian,
    closedLoop: {
      name: 'noting',
      run: async ({ origin, cores = [] }) => {
        placed.push(`load of ${origin} on ${cores.join()}`);
        const requests = origin.startsWith('baseline') ? 1 : 100;
        return { requests, seconds: 1, failures: 0, latency: { p50: 1, p99: 1, p999: 1 } };
      },
    },
    openLoop: null,
    warmUpSeconds: 1,
    seconds: 1,
    directory: '',
    signal: new AbortController().signal,
    surroundings: () => Promise.reject(new Error('not needed')),
    start: async ({ name }, on = []) => {
      placed.push(`${name} on ${on.join()}`);
      return {
        origin: `${name}@${on.join()}`,
        processGroup: process.pid,
        lastLogLines: () => [],
        stop: async () => {},
      };
    },
  };
  return { stage, placed };
}

describe('The case of two processes on two cores', () => {
  it('loads one process, on a machine with two cores, as it loads each of two: with a generator on its core', async () => {
    const { stage, placed } = notingStage(2);
    const one = await caseFor(2).measure('ours, 1 process beside baseline', stage);
    expect([...new Set(placed)]).toEqual([
      'ours on 1',
      'baseline on 0',
      'load of ours@1 on 0',
      'load of baseline@0 on 1',
    ]);
    expect(one).toMatchObject({ processes: 1, operations: 100 });

    placed.length = 0;
    const two = await caseFor(2).measure('ours, 2 processes', stage);
    expect([...new Set(placed)]).toEqual([
      'ours on 1',
      'ours on 0',
      'load of ours@1 on 0',
      'load of ours@0 on 1',
    ]);
    expect(two).toMatchObject({ processes: 2, operations: 200 });
    expect(caseFor(2).targets).toMatchObject([
      { subject: 'ours, 2 processes', against: 'ours, 1 process beside baseline' },
    ]);
  });

  it('loads from other cores where there are some, and needs no neighbour then', async () => {
    const { stage, placed } = notingStage(4);
    await caseFor(4).measure('ours, 2 processes', stage);
    expect([...new Set(placed)]).toEqual([
      'ours on 3',
      'ours on 2',
      'load of ours@3 on 0,1',
      'load of ours@2 on 0,1',
    ]);
    expect(caseFor(4).subjects).not.toContain('ours, 1 process beside baseline');
    expect(caseFor(4).targets).toMatchObject([
      { against: 'ours, 1 process', comparison: 'throughput' },
    ]);
  });
});
