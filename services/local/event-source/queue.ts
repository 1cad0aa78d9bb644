import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { LocalFailure } from '../local-failure.ts';
import { isReceivedMessage, type ReceivedMessage } from './lambda-event.ts';

/** Most messages of one call to SQS. */
export const MESSAGES_TO_A_CALL = 10;

export interface QueueLocation {
  readonly queueUrl: string;
  readonly region: string;
  /** Endpoint of SQS. @default that of AWS */
  readonly endpoint?: string | undefined;
  /**
   * The worker's environment. Credentials in it are used, because Lambda polls with the function's own role
   * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions).
   */
  readonly environment: Readonly<Record<string, string>>;
}

export interface QueueDescription {
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
}

function isLoopback(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

function createClient({ region, endpoint, environment }: QueueLocation): SQSClient {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = environment;
  const token = environment.AWS_SESSION_TOKEN;
  const given =
    id === undefined || secret === undefined
      ? undefined
      : {
          accessKeyId: id,
          secretAccessKey: secret,
          ...(token === undefined ? {} : { sessionToken: token }),
        };
  // An emulator checks no credentials, but the SDK signs no request without any.
  const emulator =
    endpoint !== undefined && isLoopback(endpoint)
      ? { accessKeyId: 'local', secretAccessKey: 'local' }
      : undefined;
  const credentials = given ?? emulator;
  return new SQSClient({
    region,
    ...(endpoint === undefined
      ? {}
      : {
          endpoint,
          useQueueUrlAsEndpoint: false,
          // The SDK refuses a custom endpoint beside these, which the shell or ~/.aws/config may set.
          useFipsEndpoint: false,
          useDualstackEndpoint: false,
        }),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

/** The calls to a queue that Lambda's pollers make. */
export class Queue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(location: QueueLocation) {
    this.#client = createClient(location);
    this.#url = location.queueUrl;
  }

  /** @throws {LocalFailure} when the queue is unreachable or does not exist. */
  async describe(): Promise<QueueDescription> {
    try {
      const { Attributes: attributes } = await this.#client.send(
        new GetQueueAttributesCommand({
          QueueUrl: this.#url,
          AttributeNames: ['QueueArn', 'VisibilityTimeout'],
        }),
      );
      return {
        arn: attributes?.QueueArn ?? '',
        visibilityTimeoutSeconds: Number(attributes?.VisibilityTimeout),
      };
    } catch (error) {
      throw new LocalFailure(
        `The queue ${this.#url} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        'Check that SQS_ENDPOINT and the URL of the queue belong together, and that the queue exists there.',
        { cause: error },
      );
    }
  }

  /** @param waitSeconds - whole seconds to wait for the first message, up to 20. */
  async receive(maximumMessages: number, waitSeconds: number): Promise<ReceivedMessage[]> {
    const { Messages: messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url,
        MaxNumberOfMessages: Math.min(maximumMessages, MESSAGES_TO_A_CALL),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return messages.filter(isReceivedMessage);
  }

  /** Deletes handled messages. A failed deletion delivers the message again, as with Lambda. */
  async delete(messages: readonly ReceivedMessage[]): Promise<void> {
    for (const entries of inCalls(messages)) {
      const { Failed: failed = [] } = await this.#client.send(
        new DeleteMessageBatchCommand({ QueueUrl: this.#url, Entries: entries }),
      );
      const [first] = failed;
      if (first !== undefined) {
        throw new Error(
          `SQS did not delete ${failed.length} messages: ${first.Message ?? first.Code}`,
        );
      }
    }
  }

  /** Makes messages visible again at once. */
  async release(messages: readonly ReceivedMessage[]): Promise<void> {
    for (const entries of inCalls(messages)) {
      await this.#client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: this.#url,
          Entries: entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 })),
        }),
      );
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

function* inCalls(messages: readonly ReceivedMessage[]) {
  for (let start = 0; start < messages.length; start += MESSAGES_TO_A_CALL) {
    yield messages
      .slice(start, start + MESSAGES_TO_A_CALL)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  }
}
