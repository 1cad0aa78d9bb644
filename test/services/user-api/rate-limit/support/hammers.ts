import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import type { DecisionSource } from '../../../../../services/user-api/rate-limit/decision.ts';
import { eventually } from '../../../../support/eventually.ts';
import { type NodeProgram, startNodeProgram } from '../../../../support/node-program.ts';
import type { HammerMessage, HammerOrder, HammerReport } from '../programs/hammer.ts';

const HAMMER = fileURLToPath(new URL('../programs/hammer.ts', import.meta.url));

/**
 * Lets several processes send requests of one key at the same time, and gives what each saw.
 *
 * @param meanwhile runs while they do; what it is given waits until the source has decided a request in each of them.
 */
export type Hammer = (
  redis: Redis,
  order: HammerOrder,
  meanwhile?: (allHad: (source: DecisionSource) => Promise<unknown>) => Promise<void>,
) => Promise<HammerReport[]>;

/** Starts processes before the suite, each of which takes one order after the other, and ends them after it. */
export function hammersForSuite(processes: number): Hammer {
  let programs: readonly NodeProgram<HammerMessage>[] = [];
  beforeAll(() => {
    programs = Array.from({ length: processes }, () => startNodeProgram<HammerMessage>(HAMMER));
  });
  afterAll(async () => {
    await Promise.all(programs.map((program) => program.end('SIGKILL')));
  });
  return async (redis, order, meanwhile = async () => {}) => {
    for (const program of programs) program.send(order);
    for (const program of programs) {
      const message = await program.next();
      if (message !== 'ready') throw new Error('A process reported before it was asked to begin');
    }
    const decided = programs.map(() => new Set<DecisionSource>());
    const reading = programs.map(async (program, index) => {
      for (;;) {
        const message = await program.next();
        if (typeof message === 'object') return message;
        if (message !== 'ready') decided[index]?.add(message);
      }
    });
    const allHad = (source: DecisionSource) =>
      eventually(() => expect(decided.every((sources) => sources.has(source))).toBe(true));
    await redis.publish('go', '');
    const [reports] = await Promise.all([Promise.all(reading), meanwhile(allHad)]);
    return reports;
  };
}

export function sumOf(reports: readonly HammerReport[], field: 'sent' | 'allowed'): number {
  return reports.reduce((sum, report) => sum + report[field], 0);
}
