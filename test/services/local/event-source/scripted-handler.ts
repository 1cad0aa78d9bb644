import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

/** What a message asks the handler to do with it; JSON in the body of the message. */
export interface Script {
  readonly name: string;
  readonly action: 'succeed' | 'fail' | 'throw' | 'exit' | 'hang' | 'block' | 'answer';
  /** How long handling it takes, in milliseconds. */
  readonly milliseconds?: number;
  /** For `answer`: what the whole invocation returns. */
  readonly response?: unknown;
}

/** A line that the handler appends to the file in `RECORD_FILE`. */
export type RecordLine =
  | {
      readonly step: 'begin';
      readonly processId: number;
      readonly requestId: string;
      readonly remainingMilliseconds: number;
      readonly payloadBytes: number;
      readonly records: readonly Omit<SQSRecord, 'receiptHandle'>[];
      readonly context: Record<string, unknown>;
      readonly variables: Record<string, string | undefined>;
    }
  | { readonly step: 'end'; readonly processId: number; readonly requestId: string };

function write(line: RecordLine): void {
  appendFileSync(process.env.RECORD_FILE ?? '', `${JSON.stringify(line)}\n`);
}

async function act(script: Script): Promise<void> {
  await delay(script.milliseconds ?? 0);
  switch (script.action) {
    case 'fail':
      throw new Error(`${script.name} fails`);
    case 'exit':
      process.exit(3);
      break;
    case 'hang':
      await new Promise(() => setInterval(() => {}, 1_000));
      break;
    case 'block':
      for (;;);
    default:
  }
}

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const scripts = event.Records.map(({ body }): Script => JSON.parse(body));
  write({
    step: 'begin',
    processId: process.pid,
    requestId: context.awsRequestId,
    remainingMilliseconds: context.getRemainingTimeInMillis(),
    payloadBytes: Buffer.byteLength(JSON.stringify(event)),
    // Large bodies are of no interest, only how large the whole was.
    records: event.Records.map(({ receiptHandle: _, ...record }) => ({
      ...record,
      body: record.body.slice(0, 1_000),
    })),
    context: { ...context },
    variables: { ...process.env },
  });
  console.log('a line from the handler');
  const batchItemFailures: { itemIdentifier: string }[] = [];
  await Promise.all(
    event.Records.map(async ({ messageId }, index) => {
      const script = scripts[index];
      if (script?.action === 'throw') throw new TypeError('the handler throws');
      try {
        if (script !== undefined) await act(script);
      } catch {
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    }),
  );
  write({ step: 'end', processId: process.pid, requestId: context.awsRequestId });
  const responding = scripts.find(({ action }) => action === 'answer');
  return responding === undefined
    ? { batchItemFailures }
    : (responding.response as SQSBatchResponse);
}
