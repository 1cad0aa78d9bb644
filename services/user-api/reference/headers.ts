import type { HeadersObject, ParameterObject, SchemaObject } from './open-api.ts';

const string = (maxLength: number, more: SchemaObject = {}): SchemaObject => ({
  type: 'string',
  maxLength,
  ...more,
});

/** Header fields of requests, as parameters. */
export const requestHeaders = {
  ifMatch: {
    name: 'If-Match',
    in: 'header',
    description:
      'Apply the change only if the current ETag is one of these; otherwise 412, with the current version.',
    schema: string(1_000, { examples: ['"v3"'] }),
  },
  ifNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description:
      'If the current ETag is one of these, a read gets 304 without a body, and a change gets 412.',
    schema: string(1_000, { examples: ['"v3"'] }),
  },
  idempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'A unique value for each intended request, such as a UUID. The same key and body get the same response for 24 hours.',
    schema: string(255, { minLength: 1, examples: ['9f0c1d0e-6f2c-4d1c-a5a5-6d9d3f0f4c57'] }),
  },
} as const satisfies Record<string, ParameterObject>;

/** Header fields of responses, by name. */
export const responseHeaders = {
  'Access-Control-Allow-Origin': {
    description: 'The origin of the requesting page, if it is allowed.',
    schema: string(300, { format: 'uri' }),
  },
  'Cache-Control': {
    description: 'Who may store the response, and how long.',
    schema: string(200),
  },
  Vary: {
    description: 'Header fields of the request that the response depends on.',
    schema: string(200),
  },
  ETag: { description: 'The version of the representation.', schema: string(100) },
  Location: {
    description: 'Path of what was created.',
    schema: string(200, { format: 'uri-reference' }),
  },
  Link: {
    description: 'Related pages (RFC 8288): `rel="next"` is the next page.',
    schema: string(2_000),
  },
  'Accept-Post': { description: 'Media types that the body may have.', schema: string(200) },
  'Accept-Patch': { description: 'Media types that the body may have.', schema: string(200) },
  'Accept-Encoding': { description: 'Codings that the body may have.', schema: string(200) },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 9110, 11.6.1).',
    schema: string(500),
  },
  'Idempotent-Replayed': {
    description: '`true` on a response repeated for the same Idempotency-Key.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Content-Encoding': {
    description: 'How the body is compressed, when Accept-Encoding allows it.',
    schema: { type: 'string', enum: ['gzip'] },
  },
  'Retry-After': {
    description: 'Seconds to wait before the request is sent again.',
    schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 86_400 },
  },
  'X-Request-Id': {
    description: 'The id of the request in logs: the one that it came with, or a new one.',
    schema: string(128),
  },
  'RateLimit-Policy': {
    description:
      'The policy that the request counts against: requests (q) per seconds (w). draft-ietf-httpapi-ratelimit-headers-10.',
    schema: string(200, { examples: ['"reads";q=1000;w=60'] }),
  },
  RateLimit: {
    description: 'Requests that remain (r), and seconds until there are more (t).',
    schema: string(200, { examples: ['"reads";r=997;t=1'] }),
  },
  Deprecation: {
    description: 'Since when the operation is deprecated (RFC 9745). Absent while it is not.',
    schema: string(50, { examples: ['@1767225600'] }),
  },
  Sunset: {
    description: 'When the operation is removed (RFC 8594). Absent while no removal is planned.',
    schema: string(50, { examples: ['Wed, 01 Jul 2026 00:00:00 GMT'] }),
  },
} as const satisfies HeadersObject;

export type ResponseHeaderName = keyof typeof responseHeaders;

/**
 * Fields that any response of an HTTP server may have, and that say nothing about this API: of the connection and the message (RFC 9110, 6.6
 * and 8), and the security headers of `http/response-headers.ts`. The document does not repeat them on each response.
 */
export const generalHeaders: readonly string[] = [
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'content-security-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
];

const always: readonly ResponseHeaderName[] = [
  'X-Request-Id',
  'Access-Control-Allow-Origin',
  'Cache-Control',
  'Vary',
  'Deprecation',
  'Sunset',
];
const byStatus: Readonly<Record<string, readonly ResponseHeaderName[]>> = {
  '304': ['ETag', 'Link'],
  '401': ['WWW-Authenticate'],
  '412': ['ETag'],
  '415': ['Accept-Post', 'Accept-Patch', 'Accept-Encoding'],
  '429': ['Retry-After'],
  '503': ['Retry-After'],
};
/** Of responses with a version, or a redirect. */
const byOperation: Readonly<
  Record<string, Readonly<Record<string, readonly ResponseHeaderName[]>>>
> = {
  createUser: { '201': ['ETag', 'Location', 'Idempotent-Replayed'] },
  listUsers: { '200': ['ETag', 'Link', 'Content-Encoding'] },
  getUser: { '200': ['ETag', 'Content-Encoding'] },
  updateUser: { '200': ['ETag'] },
  replaceUser: { '200': ['ETag'] },
  getOpenApiDocument: { '200': ['ETag', 'Content-Encoding'] },
  getReferenceAsset: { '200': ['ETag', 'Content-Encoding'] },
};

/** Names of the fields that a response with `status` of the operation may have, without those of its rate limit. */
export function responseHeaderNames(operationId: string, status: string): ResponseHeaderName[] {
  const names = [
    ...always,
    ...(byStatus[status] ?? []),
    ...(byOperation[operationId]?.[status] ?? []),
  ];
  return [...new Set(names)];
}
