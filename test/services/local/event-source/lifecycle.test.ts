import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject } from 'vitest';
import {
  type EventSourceOptions,
  startEventSource,
} from '../../../../services/local/event-source/event-source.ts';
import { LocalFailure } from '../../../../services/local/local-failure.ts';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import { startSqs } from '../../../../services/local/sqs/sqs.ts';
import {
  eventually,
  it,
  type ScriptedWorker,
  type ScriptedWorkerSettings,
} from './scripted-worker.ts';

const HOST = fileURLToPath(new URL('./host-process.ts', import.meta.url));

/** A worker whose event source runs in a process that can be killed. */
async function startInHost(
  startWorker: (settings: ScriptedWorkerSettings) => Promise<ScriptedWorker>,
  guarded: boolean,
) {
  let hosted: EventSourceOptions | undefined;
  const worker = await startWorker({ capture: (options) => (hosted = options) });
  await worker.source.stop();
  const host = spawn(process.execPath, [HOST, JSON.stringify({ ...hosted, guarded })], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { worker, host };
}

describe.concurrent('Stopping the local event source', () => {
  it('lets an invocation in flight finish, and leaves no process', async ({ startWorker }) => {
    const worker = await startWorker({ options: { stopTimeoutMilliseconds: 20_000 } });
    await worker.send({ name: 'one', action: 'succeed', milliseconds: 1_500 });
    await worker.begun(1);
    const processIds = worker.source.processIds();
    await worker.source.stop();
    expect(worker.reports).toMatchObject([{ status: 'success' }]);
    expect(await worker.counts()).toEqual({ visible: 0, hidden: 0 });
    expect(processIds).toHaveLength(1);
    expect(processIds.filter(isAlive)).toEqual([]);
  });

  it('cuts an invocation short that does not finish in time, and leaves no process', async ({
    startWorker,
  }) => {
    const worker = await startWorker({ options: { stopTimeoutMilliseconds: 50 } });
    await worker.send({ name: 'one', action: 'hang' });
    await worker.begun(1);
    const processIds = worker.source.processIds();
    await worker.source.stop();
    expect(worker.reports).toMatchObject([{ status: 'error', failedMessages: 1 }]);
    expect(await worker.counts()).toEqual({ visible: 0, hidden: 1 });
    expect(processIds).toHaveLength(1);
    expect(processIds.filter(isAlive)).toEqual([]);
  });

  it('gives messages that wait for their batch back to the queue', async ({ startWorker }) => {
    const worker = await startWorker({
      maximumBatchingWindowSeconds: 300,
      visibilityTimeoutSeconds: 600,
    });
    await worker.send({ name: 'one', action: 'succeed' });
    await eventually(async () => (await worker.counts()).hidden === 1, 'that it is received');
    await worker.source.stop();
    expect(await worker.counts()).toEqual({ visible: 1, hidden: 0 });
    expect(worker.invocations()).toEqual([]);
  });

  it('can be asked for twice', async ({ startWorker }) => {
    const worker = await startWorker();
    await Promise.all([worker.source.stop(), worker.source.stop()]);
    await worker.source.stop();
    expect(worker.source.processIds()).toEqual([]);
  });

  it('is not needed for runtimes to end when the process that started them is killed', async ({
    startWorker,
  }) => {
    const { worker, host } = await startInHost(startWorker, false);
    await worker.send({ name: 'one', action: 'hang' });
    const [invocation] = await worker.begun(1);
    host.kill('SIGKILL');
    await once(host, 'exit');
    await eventually(() => !isAlive(invocation?.processId ?? 0), 'the end of the runtime');
  });

  it('is not needed with a guardian even for a runtime that is stuck in a loop', async ({
    startWorker,
  }) => {
    const { worker, host } = await startInHost(startWorker, true);
    await worker.send({ name: 'one', action: 'block' });
    const [invocation] = await worker.begun(1);
    host.kill('SIGKILL');
    await once(host, 'exit');
    await eventually(() => !isAlive(invocation?.processId ?? 0), 'the end of the runtime');
  });
});

describe.concurrent('The local event source', () => {
  it('goes on by itself when SQS is back after an outage, and tells of it once', async ({
    startWorker,
    onTestFinished,
  }) => {
    const queues = [
      {
        name: 'outage',
        visibilityTimeoutSeconds: 60,
        maximumReceiveCount: 3,
        retentionSeconds: 3_600,
        deadLetterRetentionSeconds: 7_200,
      },
    ] as const;
    const before = await startSqs({ queues });
    const failures: Error[] = [];
    const worker = await startWorker({
      at: { endpoint: before.endpoint, queueUrl: before.queues.outage.url },
      options: { onQueueFailure: (error) => failures.push(error) },
    });
    await before.stop();
    await eventually(() => failures.length > 0, 'that the outage is noticed');
    const port = Number(new URL(before.endpoint).port);
    const after = await startSqs({ queues, port });
    onTestFinished(() => after.stop());
    await worker.send({ name: 'one', action: 'succeed' });
    await worker.drained();
    expect(failures).toHaveLength(1);
    await worker.source.stop();
  });

  it.for([
    [{ batchSize: 0 }, 'has batchSize 0; Lambda takes a whole number from 1 to 10000'],
    [{ batchSize: 11 }, 'has batchSize 11 and no batching window'],
    [{ maximumConcurrency: 1 }, 'has maximumConcurrency 1; Lambda takes a whole number from 2'],
    [{ maximumBatchingWindowSeconds: 0.5 }, 'has maximumBatchingWindowSeconds 0.5'],
    [{ timeoutSeconds: 901 }, 'has timeoutSeconds 901'],
    [
      { timeoutSeconds: 3, visibilityTimeoutSeconds: 2 },
      "has a visibility timeout of 2 s, less than the worker's timeout of 3 s",
    ],
  ] as const)('refuses what Lambda refuses: %o', async ([settings, message], { startWorker }) => {
    await expect(startWorker(settings)).rejects.toThrow(message);
    await expect(startWorker(settings)).rejects.toBeInstanceOf(LocalFailure);
  });

  it('names the queue that it cannot find', async () => {
    const { endpoint, region } = inject('system').sqs;
    const starting = startEventSource({
      worker: {
        name: 'scripted',
        entry: 'handler.ts',
        memoryMebibytes: 128,
        timeoutSeconds: 1,
        batchSize: 1,
        maximumBatchingWindowSeconds: 0,
        maximumConcurrency: 2,
      },
      queueUrl: `${endpoint}/000000000000/missing`,
      endpoint,
      region,
      environment: {},
    });
    await expect(starting).rejects.toThrow('/000000000000/missing cannot be read');
    await expect(starting).rejects.toBeInstanceOf(LocalFailure);
  });
});
