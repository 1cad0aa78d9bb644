export interface InvocationReport {
  readonly worker: string;
  /** Lambda's id of the invocation: the handler's `context.awsRequestId`. */
  readonly requestId: string;
  readonly messages: number;
  /** Messages that failed and come again. */
  readonly failedMessages: number;
  /** From the complete batch to the response, in milliseconds, including the start of a runtime. */
  readonly durationMilliseconds: number;
  /** `success`: the handler responded, even if messages failed; `error`: it threw, ended or responded malformed. */
  readonly status: 'success' | 'error' | 'timeout';
  readonly error?: { readonly type: string; readonly message: string };
}

/**
 * A log line like the `platform.report` of Lambda's JSON logs
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

export function queueFailureLine(error: Error): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    type: 'queue.failure',
    error: { type: error.name, message: error.message },
  });
}
