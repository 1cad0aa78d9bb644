import { accessProblemTypes } from './access-problem-types.ts';
import type { ProblemType } from './problem-type.ts';

/** Every kind of error, by the last part of its `type`: `/problems/<slug>`. Slugs are part of the contract. */
export const problemTypes = {
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    meaning: 'The request is not valid HTTP: its target, its Host or another part of its head.',
    remedy: 'Look at how the client builds the URL and the headers.',
  },
  'malformed-json': {
    status: 400,
    title: 'Malformed JSON',
    meaning: 'The body is empty, is not UTF-8, or is not JSON.',
    remedy:
      'Send one JSON object, encoded in UTF-8. Where it is known, the detail says where reading stopped.',
  },
  'invalid-idempotency-key': {
    status: 400,
    title: 'Invalid Idempotency-Key',
    meaning: 'The Idempotency-Key is too long, empty, or holds characters that it may not.',
    remedy: 'Send a new random UUID for each thing that is to be done once.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key reused',
    meaning: 'The same Idempotency-Key was sent with another body in the last 24 hours.',
    remedy:
      'Use a new key for each thing to be done, and the same one only to repeat a request as it was.',
  },
  'page-too-deep': {
    status: 422,
    title: 'Page too deep',
    meaning:
      'Numbered pages end where the API would have to read too much that is not shown. With a cursor a list goes on for as long as there are users.',
    remedy:
      'Take `nextCursor` of the last page, or the Link with rel="next", and go on with `cursor` in place of `page`.',
  },
  'validation-failed': {
    status: 422,
    title: 'Validation failed',
    meaning:
      'The request can be read, but fields of its body or parameters of its query are missing, unknown, or have values that are not allowed.',
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
    meaning: 'The request did not arrive in full within the time there is for it.',
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
    meaning: 'A request with the same Idempotency-Key is being done at this moment.',
    remedy:
      'Send it again a little later, with the same key: it will get the response of the first.',
  },
  'idempotent-answer-erased': {
    status: 410,
    title: 'Idempotent answer erased',
    meaning:
      'A request with the same Idempotency-Key has created a user who has been deleted since, and with the user the response.',
    remedy: 'Nothing, if the user was meant to be deleted. To create one again, use a new key.',
  },
  'precondition-failed': {
    status: 412,
    title: 'Precondition failed',
    meaning:
      'What is here is not what If-Match, If-None-Match or If-Unmodified-Since allows, or the operation has no preconditions. Nothing was done.',
    remedy:
      'Get the user again, decide whether the change still makes sense, and send it with the new ETag.',
  },
  'content-too-large': {
    status: 413,
    title: 'Content too large',
    meaning: 'The body is larger than the API reads.',
    remedy: 'Send less. The detail says how much is read.',
  },
  'uri-too-long': {
    status: 414,
    title: 'URI too long',
    meaning: 'The path and query together are longer than the API reads.',
    remedy: 'Shorten the query. A cursor must be sent as it was given.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'The body is not declared as one of the media types that this operation takes.',
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
      'The client has sent more requests of this kind than it may. RateLimit-Policy tells how many, RateLimit how many remain.',
    remedy: 'Wait for the seconds in Retry-After. Requests that come earlier are refused, too.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'The API failed in a way that it was not made for.',
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
    meaning: 'The request took longer than the API lets one take. It was not applied.',
    remedy: 'Send it again after the seconds in Retry-After.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    meaning:
      'More requests wait for the database than it answers in good time. This one was not applied.',
    remedy: 'Send the request again after the seconds in Retry-After.',
  },
  'database-unavailable': {
    status: 503,
    title: 'Database unavailable',
    meaning:
      'The database did not answer in time, and the request was not applied. While the writer is away, users can be read but not changed.',
    remedy: 'Send the request again after the seconds in Retry-After.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'Outcome unknown',
    meaning:
      'The change was sent to the database, but no response came in time. It may have been applied, or may still be.',
    remedy:
      'Send it again after the seconds in Retry-After only with the same Idempotency-Key, or with If-Match. Otherwise read first, and decide whether the change is still needed.',
  },
  ...accessProblemTypes,
} as const satisfies Record<string, ProblemType>;

export type ProblemSlug = keyof typeof problemTypes;
