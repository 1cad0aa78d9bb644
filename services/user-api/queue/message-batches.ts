import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { type SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';

/** Tries of one batch. */
const TRIES = 2;
/** Longest pause before another try, in milliseconds; drawn for each, so that many processes don't come back at once. */
const LONGEST_PAUSE_MILLISECONDS = 100;
/** Where a request to any queue goes (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html). */
const PATH = '/';
const FIRST_SERVER_ERROR_STATUS = 500;

export interface QueueAddress {
  readonly queueUrl: string;
  readonly region: string;
  /** Endpoint of SQS. @default that of AWS, which is the host in the queue's URL */
  readonly endpoint?: string | undefined;
}

/** What SQS answers, as far as it is read here. */
const answered = z.object({ Successful: z.array(z.object({ Id: z.string() })).default([]) });
const refused = z.object({ __type: z.string(), message: z.string().default('') });

/** Thrown when SQS has refused a whole request. */
export class QueueRefusal extends Error {
  override readonly name = 'QueueRefusal';
  readonly status: number;
  /** What SQS calls it, such as `QueueDoesNotExist`. */
  readonly code: string;

  constructor(status: number, answer: string) {
    const { __type, message } = refusalOf(answer);
    super(`SQS answered ${status} ${__type}: ${message}`);
    this.status = status;
    this.code = __type;
  }

  /** Whether the same request may well be taken a moment later. */
  get isPassing(): boolean {
    return this.status >= FIRST_SERVER_ERROR_STATUS || /throttl/i.test(this.code);
  }
}

/** What is not SQS's, but of something before it, has no code. */
function refusalOf(answer: string): z.output<typeof refused> {
  try {
    const { __type, message } = refused.parse(JSON.parse(answer));
    // The code has the name of the service before it: com.amazonaws.sqs#QueueDoesNotExist.
    return { __type: __type.slice(__type.indexOf('#') + 1), message };
  } catch {
    return { __type: 'unknown', message: 'what is no answer of SQS' };
  }
}

/** Sends messages to one queue. */
export interface MessageBatches {
  /**
   * @param entries - at most ten, which is what SQS takes.
   * @param signal - ends all tries.
   * @returns the ids of the entries that the queue took.
   * @throws {@link QueueRefusal}, and what Node.js throws when there is no answer.
   */
  send(
    entries: readonly SendMessageBatchRequestEntry[],
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  close(): void;
}

/**
 * Sends `SendMessageBatch` in SQS' JSON protocol
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html) over the credentials, the signer and the
 * connections of the AWS SDK, but not through its `send`: that resolves ten middlewares, works out the endpoint, and walks through schemas for each
 * request, and takes 2.2 times as long (0.83 instead of 0.37 ms of processor time for ten messages). It was a quarter of what creating a user took.
 */
export function createMessageBatches({ endpoint, queueUrl, region }: QueueAddress): MessageBatches {
  const client = new SQSClient({ region });
  const { host, hostname, port, protocol } = new URL(endpoint ?? queueUrl);
  const signing = { name: 'sigv4', signingName: 'sqs', signingRegion: region, properties: {} };
  let signer: ReturnType<typeof client.config.signer> | undefined;

  async function request(body: string, abortSignal: AbortSignal): Promise<string> {
    signer ??= client.config.signer(signing);
    const signed = await (await signer).sign({
      method: 'POST',
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path: PATH,
      query: {},
      headers: {
        host,
        'content-type': 'application/x-amz-json-1.0',
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-target': 'AmazonSQS.SendMessageBatch',
      },
      body,
    });
    const { response } = await client.config.requestHandler.handle(signed, { abortSignal });
    const answer = await text(response.body);
    if (response.statusCode !== 200) throw new QueueRefusal(response.statusCode, answer);
    return answer;
  }

  return {
    async send(entries, signal) {
      const body = JSON.stringify({ QueueUrl: queueUrl, Entries: entries });
      for (let left = TRIES - 1; ; left -= 1) {
        try {
          const { Successful } = answered.parse(JSON.parse(await request(body, signal)));
          return Successful.map(({ Id }) => Id);
        } catch (error) {
          const isFinal = error instanceof QueueRefusal && !error.isPassing;
          if (isFinal || left === 0 || signal.aborted) throw error;
        }
        await wait(Math.random() * LONGEST_PAUSE_MILLISECONDS, undefined, { signal });
      }
    },
    close: () => client.destroy(),
  };
}
