import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { GuardianOrder } from './guardian.ts';
import { endProcess, type StopPlan } from './process-life.ts';

/** Entry point of the process that ./guardian.ts starts. Ends when its standard input does, after cleaning up. */
async function main(): Promise<void> {
  const guarded = new Map<number, StopPlan>();
  const temporaryDirectories: string[] = [];

  for await (const line of createInterface({ input: process.stdin })) {
    const order: GuardianOrder = JSON.parse(line);
    if (order.order === 'guard') guarded.set(order.processId, order.plan);
    else if (order.order === 'release') guarded.delete(order.processId);
    else temporaryDirectories.push(order.directory);
  }

  // Last started, first ended: what was started later stands on what was started before it.
  for (const [processId, plan] of [...guarded].reverse()) await endProcess(processId, plan);
  for (const directory of temporaryDirectories) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

// Whoever ends the whole terminal or the container asks every process to end. This one ends by itself, after the one
// it serves; doing so earlier would leave the others without a guard.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

await main();
