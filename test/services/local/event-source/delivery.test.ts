import { describe, expect, inject, vi } from 'vitest';
import type { Script } from './scripted-handler.ts';
import { eventually, it } from './scripted-worker.ts';

const names = (records: readonly { body: string }[]): string[] =>
  records.map(({ body }) => (JSON.parse(body) as Script).name).sort();

describe.concurrent('The local event source, delivering', () => {
  it('gives the handler the event and the context that Lambda gives', async ({ startWorker }) => {
    const worker = await startWorker({ timeoutSeconds: 20, memoryMebibytes: 256 });
    const messageId = await worker.send(
      { name: 'one', action: 'succeed' },
      {
        text: { DataType: 'String', StringValue: 'value' },
        bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2, 3]) },
      },
    );
    const [invocation] = await worker.begun(1);
    const queueName = new URL(worker.queueUrl).pathname.split('/').at(-1);
    expect(invocation?.records).toEqual([
      {
        messageId,
        body: '{"name":"one","action":"succeed"}',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.stringMatching(/./),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
        messageAttributes: {
          text: {
            stringValue: 'value',
            stringListValues: [],
            binaryListValues: [],
            dataType: 'String',
          },
          bytes: {
            binaryValue: 'AQID',
            stringListValues: [],
            binaryListValues: [],
            dataType: 'Binary',
          },
        },
        md5OfBody: expect.stringMatching(/^[0-9a-f]{32}$/),
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueName}`,
        awsRegion: 'us-east-1',
      },
    ]);
    expect(invocation?.context).toEqual({
      callbackWaitsForEmptyEventLoop: true,
      functionName: 'scripted',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:scripted',
      memoryLimitInMB: '256',
      awsRequestId: invocation?.requestId,
      logGroupName: '/aws/lambda/scripted',
      logStreamName: expect.stringMatching(/./),
    });
    expect(invocation?.remainingMilliseconds).toBeGreaterThan(0);
    expect(invocation?.remainingMilliseconds).toBeLessThanOrEqual(20_000);
  });

  it('gives a runtime the variables of its worker and of Lambda only, none of this process', async ({
    startWorker,
    onTestFinished,
  }) => {
    vi.stubEnv('SECRET_OF_THE_PARENT', 'secret');
    onTestFinished(() => void vi.unstubAllEnvs());
    const worker = await startWorker();
    await worker.send({ name: 'one', action: 'succeed' });
    const [invocation] = await worker.begun(1);
    const {
      NODE_CHANNEL_FD: _fd,
      NODE_CHANNEL_SERIALIZATION_MODE: _mode,
      ...variables
    } = invocation?.variables ?? {};
    expect(Object.keys(variables).sort()).toEqual([
      'AWS_DEFAULT_REGION',
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'AWS_LAMBDA_FUNCTION_NAME',
      'AWS_LAMBDA_FUNCTION_VERSION',
      'AWS_LAMBDA_INITIALIZATION_TYPE',
      'AWS_LAMBDA_LOG_GROUP_NAME',
      'AWS_LAMBDA_LOG_STREAM_NAME',
      'AWS_REGION',
      'LANG',
      'OWN_VARIABLE',
      'PATH',
      'RECORD_FILE',
      'TZ',
    ]);
    expect(variables.OWN_VARIABLE).toBe('own');
    expect(variables.AWS_REGION).toBe(inject('system').sqs.region);
  });

  it('deletes the messages of a batch that succeeded', async ({ startWorker }) => {
    const worker = await startWorker();
    await worker.send({ name: 'one', action: 'succeed' });
    await worker.drained();
    expect(worker.invocations()).toHaveLength(1);
  });

  it('appends the output of the handler and a line for each invocation to the log', async ({
    startWorker,
  }) => {
    const { readFileSync } = await import('node:fs');
    const worker = await startWorker();
    await worker.send({ name: 'one', action: 'succeed' });
    await worker.drained();
    const log = await eventually(() => {
      const text = readFileSync(worker.logFile, 'utf8');
      return text.includes('platform.report') && text;
    }, 'a report in the log');
    expect(log).toContain('a line from the handler');
    expect(
      JSON.parse(log.split('\n').find((line) => line.includes('platform.report')) ?? ''),
    ).toEqual({
      time: expect.any(String),
      type: 'platform.report',
      record: {
        requestId: worker.invocations()[0]?.requestId,
        status: 'success',
        metrics: { durationMs: expect.any(Number) },
        messages: 1,
        failedMessages: 0,
      },
    });
  });

  it('fills a batch during the window, and sends it as soon as it is full', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      batchSize: 2,
      maximumBatchingWindowSeconds: 300,
      visibilityTimeoutSeconds: 600,
    });
    await worker.send({ name: 'one', action: 'succeed' });
    await eventually(async () => (await worker.counts()).hidden === 1, 'that one is received');
    expect(worker.invocations()).toHaveLength(0);
    await worker.send({ name: 'two', action: 'succeed' });
    const [invocation] = await worker.begun(1);
    expect(names(invocation?.records ?? [])).toEqual(['one', 'two']);
  });

  it('sends what it has when the window ends', async ({ startWorker }) => {
    const worker = await startWorker({ batchSize: 10, maximumBatchingWindowSeconds: 1 });
    await worker.send({ name: 'one', action: 'succeed' });
    const [invocation] = await worker.begun(1);
    expect(names(invocation?.records ?? [])).toEqual(['one']);
    await worker.drained();
  });

  it('gathers more messages into a batch than one call to SQS gives', async ({ startWorker }) => {
    const worker = await startWorker({
      batchSize: 23,
      maximumBatchingWindowSeconds: 300,
      visibilityTimeoutSeconds: 600,
    });
    await Promise.all(
      Array.from({ length: 23 }, (_, index) =>
        worker.send({ name: `${index}`, action: 'succeed' }),
      ),
    );
    await worker.drained();
    expect(worker.invocations().map(({ records }) => records.length)).toEqual([23]);
  });

  it('sends a batch before it gets larger than the payload of an invocation', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      batchSize: 8,
      maximumBatchingWindowSeconds: 1,
      memoryMebibytes: 512,
    });
    const padding = 'x'.repeat(1_000_000);
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        worker.send({ name: `${index}`, action: 'succeed', response: padding }),
      ),
    );
    await worker.drained();
    const sizes = worker.invocations().map(({ payloadBytes }) => payloadBytes);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(6 * 1024 * 1024);
    expect(worker.invocations().reduce((sum, { records }) => sum + records.length, 0)).toBe(8);
  });

  it('runs as many invocations at once as the worker allows, each in a process to itself', async ({
    startWorker,
  }) => {
    const worker = await startWorker({
      batchSize: 1,
      maximumConcurrency: 2,
      options: { maximumRuntimes: 4 },
    });
    for (let index = 0; index < 6; index += 1) {
      await worker.send({ name: `${index}`, action: 'succeed', milliseconds: 400 });
    }
    await worker.drained();
    const running = new Map<string, number>();
    let most = 0;
    for (const { step, requestId, processId } of worker.lines()) {
      if (step === 'begin') {
        expect([...running.values()], 'one invocation at a time in a process').not.toContain(
          processId,
        );
        running.set(requestId, processId);
      } else running.delete(requestId);
      most = Math.max(most, running.size);
    }
    expect(most).toBe(2);
    expect(worker.invocations()).toHaveLength(6);
    expect(new Set(worker.lines().map(({ processId }) => processId)).size).toBe(2);
  });

  it('runs no more invocations at once than it has runtimes', async ({ startWorker }) => {
    const worker = await startWorker({ batchSize: 1, options: { maximumRuntimes: 1 } });
    for (const name of ['one', 'two', 'three'])
      await worker.send({ name, action: 'succeed', milliseconds: 100 });
    await worker.drained();
    expect(worker.lines().map(({ step }) => step)).toEqual([
      'begin',
      'end',
      'begin',
      'end',
      'begin',
      'end',
    ]);
    expect(worker.source.processIds()).toHaveLength(1);
  });
});
