import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { startNodeProgram } from '../../../../support/node-program.ts';
import type { HammerMessage, HammerOrder, HammerReport } from '../programs/hammer.ts';

const HAMMER = fileURLToPath(new URL('../programs/hammer.ts', import.meta.url));

/**
 * Lets `processes` processes send requests of one key at the same time, and gives what each saw.
 *
 * @param meanwhile runs while they do.
 */
export async function hammer(
  redis: Redis,
  processes: number,
  order: HammerOrder,
  meanwhile: () => Promise<void> = async () => {},
): Promise<HammerReport[]> {
  const programs = Array.from({ length: processes }, () =>
    startNodeProgram<HammerMessage>(HAMMER, [JSON.stringify(order)]),
  );
  onTestFinished(async () => {
    await Promise.all(programs.map((program) => program.end('SIGKILL')));
  });
  for (const program of programs) {
    const message = await program.next();
    if (message !== 'ready') throw new Error('A process reported before it was asked to begin');
  }
  await redis.publish('go', '');
  await meanwhile();
  const messages = await Promise.all(programs.map((program) => program.next()));
  return messages.filter((message) => message !== 'ready');
}

export function sumOf(reports: readonly HammerReport[], field: 'sent' | 'allowed'): number {
  return reports.reduce((sum, report) => sum + report[field], 0);
}
