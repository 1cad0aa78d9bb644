/** The settings of a worker's queue; a `WorkerDefinition` of lib/config/workers.ts has all of them. */
export interface QueueDefinition {
  /** Name of the queue; its dead-letter queue is `<name>-dead-letter`. */
  readonly name: string;
  readonly visibilityTimeoutSeconds: number;
  /** Receives after which a message goes to the dead-letter queue. */
  readonly maximumReceiveCount: number;
  readonly retentionSeconds: number;
  readonly deadLetterRetentionSeconds: number;
}

export interface QueueUrls {
  readonly url: string;
  readonly deadLetterUrl: string;
}

export class SqsRequestError extends Error {
  override readonly name = 'SqsRequestError';
}

/**
 * Makes the queue and the dead-letter queue of each definition, and gives those that are there already the attributes
 * of their definition; messages stay.
 * @param endpoint of an SQS that takes unsigned requests.
 * @param nameSuffix put behind each definition's name. @default none
 * @returns the URLs by the definition's name.
 * @throws {SqsRequestError} when SQS refuses a definition.
 */
export async function createQueues<Name extends string>(
  endpoint: string,
  definitions: readonly (QueueDefinition & { readonly name: Name })[],
  nameSuffix = '',
): Promise<Record<Name, QueueUrls>> {
  const entries = await Promise.all(
    definitions.map(async (definition): Promise<[string, QueueUrls]> => {
      const name = `${definition.name}${nameSuffix}`;
      const deadLetterUrl = await createQueue(endpoint, `${name}-dead-letter`, {
        MessageRetentionPeriod: String(definition.deadLetterRetentionSeconds),
      });
      const { QueueArn: deadLetterTargetArn } = await readAttributes(endpoint, deadLetterUrl);
      const url = await createQueue(endpoint, name, {
        VisibilityTimeout: String(definition.visibilityTimeoutSeconds),
        MessageRetentionPeriod: String(definition.retentionSeconds),
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn,
          maxReceiveCount: definition.maximumReceiveCount,
        }),
      });
      return [definition.name, { url, deadLetterUrl }];
    }),
  );
  return Object.fromEntries(entries) as Record<Name, QueueUrls>;
}

/** Without attributes, CreateQueue returns the URL of an existing queue, whatever its attributes. */
async function createQueue(
  endpoint: string,
  name: string,
  attributes: Readonly<Record<string, string>>,
): Promise<string> {
  const { QueueUrl } = await callSqs(endpoint, 'CreateQueue', { QueueName: name });
  if (typeof QueueUrl !== 'string') throw new SqsRequestError(`SQS gave no URL for queue ${name}`);
  await callSqs(endpoint, 'SetQueueAttributes', { QueueUrl, Attributes: attributes });
  return QueueUrl;
}

async function readAttributes(
  endpoint: string,
  queueUrl: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { Attributes } = await callSqs(endpoint, 'GetQueueAttributes', {
    QueueUrl: queueUrl,
    AttributeNames: ['All'],
  });
  return typeof Attributes === 'object' && Attributes !== null
    ? (Attributes as Record<string, unknown>)
    : {};
}

/** One call in the JSON protocol of SQS: loading the AWS client costs a start more than all these calls. */
async function callSqs(
  endpoint: string,
  action: string,
  body: object,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      // A kept connection would be dead after a restart of the server on the same port.
      connection: 'close',
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new SqsRequestError(`${action} got ${response.status}: ${text}`);
  }
  return text === '' ? {} : JSON.parse(text);
}
