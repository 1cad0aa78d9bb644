import { randomUUID } from 'node:crypto';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Event, UserCreated } from '../../../services/contracts/events.ts';

export function userCreatedEvent(userId: number, id: string = randomUUID()): UserCreated {
  return {
    specversion: '1.0',
    id,
    source: '/user-api',
    type: 'user.created',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { userId },
  };
}

/** An event of any type, as the service sends it. */
export function eventOf<Type extends Event['type']>(
  type: Type,
  data: Extract<Event, { type: Type }>['data'],
) {
  return { ...userCreatedEvent(1), type, data };
}

/** An event of SQS with a message for each body; text goes as it is, all else as JSON. Ids are the bodies' places. */
export function sqsEvent(...bodies: readonly unknown[]): SQSEvent {
  return {
    Records: bodies.map((body, index) => ({
      messageId: String(index),
      receiptHandle: `handle ${index}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: String(Date.now()),
        SenderId: 'test',
        ApproximateFirstReceiveTimestamp: String(Date.now()),
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:email',
      awsRegion: 'us-east-1',
    })),
  };
}

export function lambdaContext(remainingMilliseconds = 30_000): Context {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'email',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:email',
    memoryLimitInMB: '128',
    awsRequestId: randomUUID(),
    logGroupName: '/aws/lambda/email',
    logStreamName: 'stream',
    getRemainingTimeInMillis: () => remainingMilliseconds,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

/** The response to a batch whose messages all succeeded. */
export const allHandled = { batchItemFailures: [] };

/** The response to a batch in which these messages failed, by their index. */
export function failed(...ids: number[]): SQSBatchResponse {
  return { batchItemFailures: ids.map((id) => ({ itemIdentifier: String(id) })) };
}
