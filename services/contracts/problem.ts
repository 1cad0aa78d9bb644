import { z } from 'zod';

/** One thing that is wrong with a request, and where. */
export const problemError = z.object({
  /** JSON Pointer (RFC 6901) to the place in the request's body; empty for the body as a whole. */
  pointer: z.string().optional(),
  /** Name of the query parameter. */
  parameter: z.string().optional(),
  /** What is wrong there, completing the sentence that the place begins. */
  detail: z.string(),
});
export type ProblemError = z.infer<typeof problemError>;

/** Body of every error: problem details (RFC 9457), sent as `application/problem+json`. */
export const problem = z.object({
  /** Path of the page that describes this type of problem. */
  type: z.string().startsWith('/problems/'),
  title: z.string(),
  status: z.int().min(400).max(599),
  /** What happened this time. */
  detail: z.string(),
  /** The `X-Request-Id` of the answer, which its log lines carry. */
  requestId: z.string().optional(),
  /** Every field or parameter at fault. */
  errors: z.array(problemError).optional(),
  /** With precondition-failed: the version that the user has now. */
  currentVersion: z.int().optional(),
});
export type ProblemDetails = z.infer<typeof problem>;
