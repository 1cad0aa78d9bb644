/** How much work the traffic makes for a worker. */
export interface WorkerDemand {
  /** What in the traffic sends a message. */
  readonly per: 'creation' | 'write' | 'login';
  /** Messages that each of those sends. */
  readonly messages: number;
  /** How long a message keeps an invocation, in seconds. */
  readonly secondsPerMessage: number;
}

/**
 * The queue-driven workers: one entry here is one Lambda function with its queue, dead-letter queue and event source
 * on AWS, and the same on one machine. Both read this list, so that they cannot differ.
 */
export interface WorkerDefinition {
  /** Name of the worker and of its queue (`<name>` and `<name>-dead-letter`); lower-case, hyphens. */
  readonly name: string;
  /** What the worker does, for consoles and docs. */
  readonly description: string;
  /** Module that exports `handler`, relative to the root of the repository. */
  readonly entry: string;
  /** Environment variable that tells the services this queue's URL. */
  readonly queueUrlVariable: string;
  /** Memory of the function, in MiB. CPU follows it: 1,769 MiB is one vCPU. */
  readonly memoryMebibytes: number;
  /** Longest that one invocation may run, in seconds. */
  readonly timeoutSeconds: number;
  /** Most messages that one invocation receives: 1 to 10, or to 10,000 with a batching window. */
  readonly batchSize: number;
  /** How long the event source waits for a batch to fill, in seconds: 0 to 300. */
  readonly maximumBatchingWindowSeconds: number;
  /**
   * Most invocations at once: 2 to 1,000 (the range that Lambda's SQS event source takes). This is that of one machine; in a stage
   * it follows from `demand`.
   */
  readonly maximumConcurrency: number;
  /**
   * How long a received message stays hidden from other receivers, in seconds; at least 6 × `timeoutSeconds` and
   * `maximumBatchingWindowSeconds`, as AWS advises (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
   */
  readonly visibilityTimeoutSeconds: number;
  /** Receives after which a message goes to the dead-letter queue; AWS advises at least 5. */
  readonly maximumReceiveCount: number;
  /** How long the queue keeps a message, in seconds: 60 to 1,209,600 (14 days). */
  readonly retentionSeconds: number;
  /** How long the dead-letter queue keeps a message, in seconds; longer than `retentionSeconds`, as age counts from the first send. */
  readonly deadLetterRetentionSeconds: number;
  /** What its number of invocations is computed from in each stage. @default `maximumConcurrency` in every stage */
  readonly demand?: WorkerDemand;
  /** PostgreSQL role that the function logs in as; migrations create it. @default no access to the database */
  readonly databaseUser?: string;
  /** Whether it sends email, and so may use SES. @default false */
  readonly sendsEmail?: boolean;
}

const DAY_SECONDS = 24 * 60 * 60;

export const workers: readonly WorkerDefinition[] = [
  {
    name: 'email',
    description: 'Sends the emails that events ask for, such as the welcome to a new user.',
    entry: 'lambda-workers/email/handler.ts',
    queueUrlVariable: 'EMAIL_QUEUE_URL',
    memoryMebibytes: 512,
    timeoutSeconds: 30,
    batchSize: 10,
    maximumBatchingWindowSeconds: 1,
    maximumConcurrency: 10,
    visibilityTimeoutSeconds: 190,
    maximumReceiveCount: 5,
    retentionSeconds: 4 * DAY_SECONDS,
    deadLetterRetentionSeconds: 14 * DAY_SECONDS,
    // One connection to SES and two statements; assumed until measured.
    demand: { per: 'creation', messages: 1, secondsPerMessage: 0.25 },
    databaseUser: 'headroom_email_worker',
    sendsEmail: true,
  },
];
