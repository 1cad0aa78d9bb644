/** How an invocation went. */
export interface InvocationReport {
  /** The worker's name. */
  readonly worker: string;
  /** Lambda's id of the invocation, the same as the handler's `context.awsRequestId`. */
  readonly requestId: string;
  /** Messages in the batch. */
  readonly messages: number;
  /** Those that failed and will come again. */
  readonly failedMessages: number;
  /** From the batch being whole to the response, in milliseconds, with the start of a runtime where one was needed. */
  readonly durationMilliseconds: number;
  /** `success`: the handler responded, even if messages failed; `error`: it threw, ended or was not understood. */
  readonly status: 'success' | 'error' | 'timeout';
  /** What went wrong. @default nothing did */
  readonly error?: { readonly type: string; readonly message: string };
}

/**
 * One line for the log, like the `platform.report` of Lambda's JSON logs
 * (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report).
 */
export function reportLine({ requestId, status, error, ...report }: InvocationReport): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    type: 'platform.report',
    record: {
      requestId,
      status,
      metrics: { durationMs: Math.round(report.durationMilliseconds) },
      messages: report.messages,
      failedMessages: report.failedMessages,
      ...(error === undefined ? {} : { error }),
    },
  });
}

/** One line for the log when SQS does not answer as it should. */
export function queueFailureLine(error: Error): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    type: 'queue.failure',
    error: { type: error.name, message: error.message },
  });
}
