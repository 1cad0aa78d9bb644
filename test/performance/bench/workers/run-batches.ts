import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { z } from 'zod';
import type { UserCreated } from '../../../../services/contracts/events.ts';

/** Feeds one handler with batches, as Lambda does: one after the other, each of ten messages, all different. */

export type BatchHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

const BATCH_SIZE = 10;
/** The demo users; the messages go round them. */
const USER_COUNT = 1_000;
const TIMEOUT_MILLISECONDS = 30_000;
const MILLISECONDS = 1_000;

/** What a run came to, as it is written to the file that RESULT_FILE names. */
export const batchResult = z.object({
  batches: z.number(),
  seconds: z.number(),
  cpuMicroseconds: z.number(),
});
export type BatchResult = z.infer<typeof batchResult>;

/** Runs a handler for WARM_UP_SECONDS, then for SECONDS, and writes what the latter came to. */
export async function runBatches(handler: BatchHandler): Promise<void> {
  await runFor(handler, Number(process.env.WARM_UP_SECONDS));
  const result = await runFor(handler, Number(process.env.SECONDS));
  await writeFile(process.env.RESULT_FILE ?? '', JSON.stringify(result));
}

async function runFor(handler: BatchHandler, seconds: number): Promise<BatchResult> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let batches = 0;
  while (performance.now() - startedAt < seconds * MILLISECONDS) {
    const { batchItemFailures } = await handler(createBatch(batches), createContext());
    if (batchItemFailures.length > 0) {
      throw new Error(`${batchItemFailures.length} messages of a batch failed: see the log`);
    }
    batches += 1;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    batches,
    seconds: (performance.now() - startedAt) / MILLISECONDS,
    cpuMicroseconds: user + system,
  };
}

function createBatch(number: number): SQSEvent {
  return {
    Records: Array.from({ length: BATCH_SIZE }, (_, index) =>
      createRecord(((number * BATCH_SIZE + index) % USER_COUNT) + 1),
    ),
  };
}

function createRecord(userId: number): SQSRecord {
  const event: UserCreated = {
    specversion: '1.0',
    id: randomUUID(),
    source: '/user-api',
    type: 'user.created',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { userId },
  };
  const now = String(Date.now());
  return {
    messageId: randomUUID(),
    receiptHandle: 'receipt',
    body: JSON.stringify(event),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: now,
      SenderId: 'user-api',
      ApproximateFirstReceiveTimestamp: now,
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:email',
    awsRegion: 'us-east-1',
  };
}

function createContext(): Context {
  const deadline = Date.now() + TIMEOUT_MILLISECONDS;
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'email',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:email',
    memoryLimitInMB: '512',
    awsRequestId: randomUUID(),
    logGroupName: '/aws/lambda/email',
    logStreamName: 'stream',
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
