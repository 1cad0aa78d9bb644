import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { GuardianOrder } from './guardian.ts';
import { endProcess, type StopPlan } from './process-life.ts';

/** Entry point of the process that ./guardian.ts starts. Ends after its standard input, when it has cleaned up. */
async function main(): Promise<void> {
  const guarded = new Map<number, StopPlan>();
  const temporaryDirectories: string[] = [];

  for await (const line of createInterface({ input: process.stdin })) {
    const order: GuardianOrder = JSON.parse(line);
    if (order.order === 'guard') guarded.set(order.processId, order.plan);
    else if (order.order === 'release') guarded.delete(order.processId);
    else temporaryDirectories.push(order.directory);
  }

  // In reverse order of starts: later processes depend on earlier ones.
  for (const [processId, plan] of [...guarded].reverse()) await endProcess(processId, plan);
  for (const directory of temporaryDirectories) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

// The end of a terminal or container signals every process. The guardian ignores it and ends after its parent; earlier, it would leave the others without
// a guard.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

await main();
