import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  GetQueueAttributesCommand,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { inject, test } from 'vitest';
import {
  type EventSource,
  type EventSourceOptions,
  startEventSource,
} from '../../../../services/local/event-source/event-source.ts';
import type { InvocationReport } from '../../../../services/local/event-source/invocation-report.ts';
import type { EventSourceWorker } from '../../../../services/local/event-source/worker.ts';
import { createQueues } from '../../../support/queues.ts';
import type { RecordLine, Script } from './scripted-handler.ts';

type Begin = Extract<RecordLine, { step: 'begin' }>;

const WAIT_MILLISECONDS = 25_000;

/** Waits until `probe` gives something other than undefined or false. */
export async function eventually<Value>(
  probe: () => Value | Promise<Value>,
  what: string,
): Promise<Exclude<Value, undefined | false>> {
  const deadline = performance.now() + WAIT_MILLISECONDS;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) {
      return value as Exclude<Value, undefined | false>;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not happen`);
    await delay(20);
  }
}

export interface ScriptedWorker {
  readonly source: EventSource;
  readonly queueUrl: string;
  readonly logFile: string;
  readonly reports: readonly InvocationReport[];
  send(script: Script, attributes?: Record<string, MessageAttributeValue>): Promise<string>;
  /** What the handler has written down so far. */
  lines(): RecordLine[];
  invocations(): Begin[];
  /** Waits until the handler has begun at least `count` times. */
  begun(count: number): Promise<Begin[]>;
  /** Messages in the queue: that can be received, and that are hidden. */
  counts(): Promise<{ visible: number; hidden: number }>;
  /** Waits until nothing is left in the queue, visible or hidden. */
  drained(): Promise<void>;
  /** Waits for the message in the dead-letter queue, and gives its body. */
  deadLetter(): Promise<Script>;
}

export const scriptedHandler = fileURLToPath(new URL('./scripted-handler.ts', import.meta.url));

export interface ScriptedWorkerSettings extends Partial<EventSourceWorker> {
  readonly visibilityTimeoutSeconds?: number;
  readonly maximumReceiveCount?: number;
  readonly options?: Partial<EventSourceOptions>;
  /** A queue of another SQS than the one that all suites share. */
  readonly at?: { readonly endpoint: string; readonly queueUrl: string };
  /** Given the options that the event source is started with. */
  readonly capture?: (options: EventSourceOptions) => void;
}

/**
 * Tests that can start workers of their own, which end with them. Through the test's own context, because tests that run
 * side by side share all else.
 */
export const it = test.extend<{
  startWorker: (settings?: ScriptedWorkerSettings) => Promise<ScriptedWorker>;
}>({
  startWorker: async ({ onTestFinished }, use) => {
    await use(async (settings) => {
      const { worker, end } = await startScriptedWorker(settings);
      onTestFinished(end);
      return worker;
    });
  },
});

/** An event source on a queue of its own, with a handler that does what the messages say. */
async function startScriptedWorker({
  visibilityTimeoutSeconds = 60,
  maximumReceiveCount = 10,
  options = {},
  at,
  capture,
  ...settings
}: ScriptedWorkerSettings = {}): Promise<{ worker: ScriptedWorker; end: () => Promise<void> }> {
  const { region, endpoint } = { ...inject('system').sqs, ...at };
  const directory = mkdtempSync(join(tmpdir(), 'headroom-event-source-'));
  const definition = {
    name: 'scripted',
    entry: scriptedHandler,
    memoryMebibytes: 128,
    timeoutSeconds: Math.min(30, visibilityTimeoutSeconds),
    batchSize: 10,
    maximumBatchingWindowSeconds: 0,
    maximumConcurrency: 2,
    ...settings,
  };
  const queues = await createQueues([
    {
      name: definition.name,
      visibilityTimeoutSeconds,
      maximumReceiveCount,
      retentionSeconds: 3_600,
      deadLetterRetentionSeconds: 7_200,
    },
  ]);
  const { deadLetterUrl } = queues[definition.name] ?? { deadLetterUrl: '' };
  const queueUrl = at?.queueUrl ?? queues[definition.name]?.url ?? '';
  const client = new SQSClient({
    region,
    endpoint,
    useQueueUrlAsEndpoint: false,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const recordFile = join(directory, 'record.jsonl');
  const logFile = join(directory, 'logs', 'worker.log');
  const reports: InvocationReport[] = [];
  const started: EventSourceOptions = {
    worker: definition,
    queueUrl,
    endpoint,
    region,
    environment: { RECORD_FILE: recordFile, OWN_VARIABLE: 'own' },
    logFile,
    onInvocation: (report) => reports.push(report),
    stopTimeoutMilliseconds: 100,
    // With two, a first runtime that starts more slowly than a message stays hidden gets a second one, which handles it again.
    ...(visibilityTimeoutSeconds < 10 && { maximumRuntimes: 1 }),
    ...options,
  };
  capture?.(started);
  const discard = () => {
    client.destroy();
    rmSync(directory, { recursive: true, force: true });
  };
  let source: EventSource;
  try {
    source = await startEventSource(started);
  } catch (error) {
    discard();
    throw error;
  }

  function lines(): RecordLine[] {
    if (!existsSync(recordFile)) return [];
    const text = readFileSync(recordFile, 'utf8').split('\n');
    return text.filter((line) => line !== '').map((line): RecordLine => JSON.parse(line));
  }
  const invocations = (): Begin[] => lines().filter((line) => line.step === 'begin');

  async function counts(): Promise<{ visible: number; hidden: number }> {
    const { Attributes: attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    return {
      visible: Number(attributes?.ApproximateNumberOfMessages),
      hidden: Number(attributes?.ApproximateNumberOfMessagesNotVisible),
    };
  }

  const worker: ScriptedWorker = {
    source,
    queueUrl,
    logFile,
    reports,
    lines,
    invocations,
    counts,
    async send(script, attributes) {
      const { MessageId: id = '' } = await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify(script),
          ...(attributes === undefined ? {} : { MessageAttributes: attributes }),
        }),
      );
      return id;
    },
    begun: (count) =>
      eventually(() => {
        const begun = invocations();
        return begun.length >= count && begun;
      }, `invocation ${count}`),
    drained: async () => {
      await eventually(async () => {
        const { visible, hidden } = await counts();
        return visible === 0 && hidden === 0;
      }, 'that the queue is empty');
    },
    deadLetter: () =>
      eventually(async () => {
        const { Messages: [message] = [] } = await client.send(
          new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, WaitTimeSeconds: 1 }),
        );
        return message?.Body === undefined ? undefined : (JSON.parse(message.Body) as Script);
      }, 'a message in the dead-letter queue'),
  };
  async function end(): Promise<void> {
    await source.stop();
    discard();
  }
  return { worker, end };
}
