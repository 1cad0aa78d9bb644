import { accessProblemTypes } from './access-problem-types.ts';
import type { ProblemType } from './problem-type.ts';

/** Every kind of error, by the last part of its `type`: `/problems/<slug>`. Slugs are part of the contract. */
export const problemTypes = {
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    meaning: 'The request is not valid HTTP: its target, its Host or another part of its head.',
    remedy: 'Check how the client builds the URL and the headers.',
  },
  'malformed-json': {
    status: 400,
    title: 'Malformed JSON',
    meaning: 'The body is empty, is not UTF-8, or is not JSON.',
    remedy:
      'Send one JSON object, encoded in UTF-8. The detail says where reading stopped, if known.',
  },
  'invalid-idempotency-key': {
    status: 400,
    title: 'Invalid Idempotency-Key',
    meaning: 'The Idempotency-Key is empty, too long, or has characters that are not allowed.',
    remedy: 'Send a new random UUID for each operation.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key reused',
    meaning: 'The same Idempotency-Key was sent with another body in the last 24 hours.',
    remedy:
      'Use a new key for each operation, and the same one only to repeat a request unchanged.',
  },
  'page-too-deep': {
    status: 422,
    title: 'Page too deep',
    meaning: 'Numbered pages are limited, because each reads all pages before it. Cursors are not.',
    remedy:
      'Take `nextCursor` of the last page, or the Link with rel="next", and continue with `cursor` instead of `page`.',
  },
  'validation-failed': {
    status: 422,
    title: 'Validation failed',
    meaning: 'Fields of the body or parameters of the query are missing, unknown or invalid.',
    remedy:
      'Correct what `errors` lists: `pointer` is a JSON Pointer into the body, `parameter` a parameter of the query.',
  },
  'route-not-found': {
    status: 404,
    title: 'No such route',
    meaning: 'Nothing is served at this path.',
    remedy: 'Check the path; paths have no slash at the end.',
  },
  'user-not-found': {
    status: 404,
    title: 'No such user',
    meaning: 'No user has this id: it never existed, has been deleted, or is not a whole number.',
    remedy: 'Get ids from the list of users.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path exists, but does not take this method.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    meaning: 'The request did not arrive in full within its time limit.',
    remedy: 'Send it again on a new connection.',
  },
  'email-taken': {
    status: 409,
    title: 'Email taken',
    meaning: 'Another user has this email address. Upper and lower case count as the same.',
    remedy: 'Use another address, or change the user who has it.',
  },
  'idempotency-key-in-use': {
    status: 409,
    title: 'Idempotency-Key in use',
    meaning: 'A request with the same Idempotency-Key is in progress.',
    remedy: 'Send it again later with the same key: it gets the response of the first.',
  },
  'idempotent-answer-erased': {
    status: 410,
    title: 'Idempotent response erased',
    meaning:
      'A request with the same Idempotency-Key created a user who has since been deleted, with the stored response.',
    remedy: 'Nothing, if the deletion was intended. To create the user again, use a new key.',
  },
  'precondition-failed': {
    status: 412,
    title: 'Precondition failed',
    meaning:
      'The current version does not satisfy If-Match, If-None-Match or If-Unmodified-Since, or the operation has no preconditions. Nothing was changed.',
    remedy:
      'Get the user again, decide whether the change still makes sense, and send it with the new ETag.',
  },
  'content-too-large': {
    status: 413,
    title: 'Content too large',
    meaning: 'The body is larger than the API reads.',
    remedy: 'Send less. The detail states the limit.',
  },
  'uri-too-long': {
    status: 414,
    title: 'URI too long',
    meaning: 'The path and query together are longer than the API reads.',
    remedy: 'Shorten the query. Send a cursor unchanged.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'The Content-Type is not one that this operation accepts.',
    remedy:
      'Set Content-Type to one that the Accept-Post or Accept-Patch header lists, and leave out Content-Encoding.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    meaning: 'The Expect header asks for something other than 100-continue.',
    remedy: 'Leave the Expect header out.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Request header fields too large',
    meaning: 'The headers are larger than the API reads.',
    remedy: 'Send fewer or shorter headers; large cookies are the usual cause.',
  },
  'rate-limit-exceeded': {
    status: 429,
    title: 'Rate limit exceeded',
    meaning:
      'The client has sent more requests of this kind than allowed. RateLimit-Policy states the limit, RateLimit how many remain.',
    remedy: 'Wait for the seconds in Retry-After. Requests that come earlier are refused, too.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'An unexpected error occurred.',
    remedy: 'Report the `requestId`: its log lines say what happened.',
  },
  'transfer-coding-unsupported': {
    status: 501,
    title: 'Transfer coding unsupported',
    meaning: 'The Transfer-Encoding of the request is another one than chunked.',
    remedy: 'Send the body with a Content-Length, or chunked and not compressed.',
  },
  'deadline-exceeded': {
    status: 503,
    title: 'Deadline exceeded',
    meaning: 'The request exceeded its time limit. It was not applied.',
    remedy: 'Send it again after the seconds in Retry-After.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    meaning: 'Too many requests wait for the database. This one was not applied.',
    remedy: 'Send the request again after the seconds in Retry-After.',
  },
  'database-unavailable': {
    status: 503,
    title: 'Database unavailable',
    meaning:
      'The database did not respond in time, and the request was not applied. While the writer is unavailable, users can be read but not changed.',
    remedy: 'Send the request again after the seconds in Retry-After.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'Outcome unknown',
    meaning:
      'The change was sent to the database, but no response came in time. It may have been applied, or may still be applied.',
    remedy:
      'Send it again after the seconds in Retry-After only with the same Idempotency-Key, or with If-Match. Otherwise read first, and decide whether the change is still needed.',
  },
  ...accessProblemTypes,
} as const satisfies Record<string, ProblemType>;

export type ProblemSlug = keyof typeof problemTypes;
