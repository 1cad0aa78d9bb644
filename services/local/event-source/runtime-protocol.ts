import { z } from 'zod';

export const invocation = z.object({
  requestId: z.string(),
  functionArn: z.string(),
  payload: z.string(),
  /** When the invocation times out, in milliseconds since 1970. */
  deadline: z.number(),
});
export type Invocation = z.infer<typeof invocation>;

/** An error as Lambda reports it (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html). */
const reportedError = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()),
});
export type ReportedError = z.infer<typeof reportedError>;

/** Messages of a runtime process: after initialization, and for each invocation. */
export const runtimeReply = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('initialized') }),
  z.object({ reply: z.literal('not initialized'), error: reportedError }),
  /** `payload` is the handler's response as JSON text; missing when it returned nothing. */
  z.object({ reply: z.literal('response'), requestId: z.string(), payload: z.string().optional() }),
  z.object({ reply: z.literal('error'), requestId: z.string(), error: reportedError }),
]);
export type RuntimeReply = z.infer<typeof runtimeReply>;
