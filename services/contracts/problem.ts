import { z } from 'zod';

/** Longer than any text of a problem. */
const DETAIL_MAXIMUM_LENGTH = 2_000;
/** More than any number of faults: a body of the largest size has no more fields. */
const ERRORS_MAXIMUM = 50_000;

const text = z.string().meta({ maxLength: DETAIL_MAXIMUM_LENGTH });

/** A fault of a request, and its place. */
export const problemError = z
  .object({
    /** JSON Pointer (RFC 6901) to the place in the request's body; empty for the body as a whole. */
    pointer: text.optional(),
    /** Name of the query parameter. */
    parameter: text.optional(),
    /** Completes the sentence that the place begins. */
    detail: text,
  })
  .meta({ id: 'ProblemError' });
export type ProblemError = z.infer<typeof problemError>;

/** Body of every error: problem details (RFC 9457), sent as `application/problem+json`. */
export const problem = z
  .object({
    /** Path of the page that describes this type of problem. */
    type: z
      .string()
      .startsWith('/problems/')
      .meta({
        maxLength: 100,
        format: 'uri-reference',
        description: 'Path of the page that describes this type of problem.',
        examples: ['/problems/user-not-found'],
      }),
    title: text,
    status: z.int().min(400).max(599),
    detail: text.meta({
      description: 'What went wrong in this request.',
      maxLength: DETAIL_MAXIMUM_LENGTH,
    }),
    /** The `X-Request-Id` of the response, which its log lines carry. */
    requestId: z
      .string()
      .meta({ maxLength: 128, description: 'The X-Request-Id of the response.' })
      .optional(),
    /** Every invalid field or parameter. */
    errors: z
      .array(problemError)
      .meta({ maxItems: ERRORS_MAXIMUM, description: 'Every invalid field or parameter.' })
      .optional(),
    /** With precondition-failed: the user's current version. */
    currentVersion: z.int().optional(),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' });
export type ProblemDetails = z.infer<typeof problem>;
