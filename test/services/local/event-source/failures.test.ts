import { describe, expect } from 'vitest';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import type { Script } from './scripted-handler.ts';
import { it } from './scripted-worker.ts';

const names = (records: readonly { body: string }[]): string[] =>
  records.map(({ body }) => (JSON.parse(body) as Script).name).sort();

describe.concurrent('The local event source, on failures', () => {
  it('lets only the failed messages of a batch come again, after their visibility timeout', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      batchSize: 2,
      maximumBatchingWindowSeconds: 1,
      visibilityTimeoutSeconds: 2,
    });
    await worker.send({ name: 'good', action: 'succeed' });
    await worker.send({ name: 'bad', action: 'fail' });
    const invocations = await worker.begun(2);
    const deliveries = invocations.flatMap(({ records }) => records);
    expect(names(deliveries).filter((name) => name === 'good')).toEqual(['good']);
    const bad = deliveries.filter(({ body }) => body.includes('"bad"'));
    expect(bad.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['1', '2']);
    expect(worker.reports[0]).toMatchObject({ status: 'success', failedMessages: 1 });
  });

  it('leaves a poison message to the dead-letter queue after maximumReceiveCount, and handles the others', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      visibilityTimeoutSeconds: 2,
      maximumReceiveCount: 2,
    });
    await worker.send({ name: 'poison', action: 'fail' });
    await worker.send({ name: 'good', action: 'succeed' });
    expect(await worker.deadLetter()).toMatchObject({ name: 'poison' });
    const deliveries = worker
      .invocations()
      .flatMap(({ records }) => names(records))
      .sort();
    expect(deliveries).toEqual(['good', 'poison', 'poison']);
    await worker.drained();
  });

  it('lets the whole batch come again when the handler throws', async ({ startWorker }) => {
    const worker = await startWorker({
      visibilityTimeoutSeconds: 2,
      maximumReceiveCount: 2,
    });
    await worker.send({ name: 'one', action: 'throw' });
    expect(await worker.deadLetter()).toMatchObject({ name: 'one' });
    expect(worker.invocations()).toHaveLength(2);
    expect(worker.reports[0]).toMatchObject({
      status: 'error',
      failedMessages: 1,
      error: { type: 'TypeError', message: 'the handler throws' },
    });
    // A handler that throws keeps its environment, as in Lambda.
    expect(new Set(worker.invocations().map(({ processId }) => processId)).size).toBe(1);
  });

  it('lets the whole batch come again when the response names a message that is not in it', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      visibilityTimeoutSeconds: 2,
      maximumReceiveCount: 1,
    });
    const response = { batchItemFailures: [{ itemIdentifier: 'unknown' }] };
    await worker.send({ name: 'one', action: 'answer', response });
    expect(await worker.deadLetter()).toMatchObject({ name: 'one' });
    expect(worker.reports).toMatchObject([{ status: 'error', error: { type: 'InvalidResponse' } }]);
  });

  it('kills a runtime whose invocation times out, and goes on in another', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      timeoutSeconds: 4,
      visibilityTimeoutSeconds: 5,
      maximumReceiveCount: 1,
    });
    await worker.send({ name: 'endless', action: 'block' });
    const [first] = await worker.begun(1);
    await worker.send({ name: 'good', action: 'succeed' });
    const [, second] = await worker.begun(2);
    expect(worker.reports[0]).toMatchObject({
      status: 'timeout',
      failedMessages: 1,
      error: {
        type: 'Sandbox.Timedout',
        // What is left of the time when the runtime is handed the event: a few milliseconds may be gone.
        message: expect.stringMatching(/^Task timed out after (4\.00|3\.9\d) seconds$/),
      },
    });
    expect(second?.processId).not.toBe(first?.processId);
    expect(isAlive(first?.processId ?? 0)).toBe(false);
    expect(await worker.deadLetter()).toMatchObject({ name: 'endless' });
  });

  it('starts a new runtime after one has crashed', async ({ startWorker }) => {
    const worker = await startWorker({
      visibilityTimeoutSeconds: 2,
      maximumReceiveCount: 2,
    });
    await worker.send({ name: 'crash', action: 'exit' });
    expect(await worker.deadLetter()).toMatchObject({ name: 'crash' });
    await worker.send({ name: 'good', action: 'succeed' });
    await worker.drained();
    expect(worker.reports).toMatchObject([
      {
        status: 'error',
        error: { type: 'Runtime.ExitError', message: 'The runtime exited with code 3' },
      },
      { status: 'error', error: { type: 'Runtime.ExitError' } },
      { status: 'success' },
    ]);
    expect(worker.source.processIds().map(isAlive)).toEqual([true]);
    expect(new Set(worker.invocations().map(({ processId }) => processId)).size).toBe(3);
  });

  it('lets messages come again when the handler cannot be imported', async ({ startWorker }) => {
    const worker = await startWorker({
      entry: 'test/services/local/event-source/failing-import-handler.ts',
      visibilityTimeoutSeconds: 2,
      maximumReceiveCount: 1,
    });
    await worker.send({ name: 'one', action: 'succeed' });
    expect(await worker.deadLetter()).toMatchObject({ name: 'one' });
    expect(worker.reports).toMatchObject([
      { status: 'error', error: { message: 'the module cannot be imported' } },
    ]);
    expect(worker.source.processIds()).toEqual([]);
  });
});
