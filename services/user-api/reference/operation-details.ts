/** What the reference says of an operation beside its schemas. */
export interface OperationDetails {
  /** Its name, in generated clients and in the one of this project. Part of the contract. */
  readonly operationId: string;
  readonly tag: TagName;
  readonly description: string;
  /** Header fields of the request that it heeds, by the names in `./headers.ts`. @default none */
  readonly requestHeaders?: readonly ('ifMatch' | 'ifNoneMatch' | 'idempotencyKey')[];
}

/** The groups of the reference, in its order. */
export const tags = {
  users: 'Users and their data.',
  authentication: 'Login, sessions and passwords.',
  'api-keys': 'Keys for programs that act for a user.',
  operation: 'Health of the service, for load balancers and operators.',
  reference: 'The description of the API and its error types.',
} as const;
export type TagName = keyof typeof tags;

/**
 * By `METHOD /path`, every operation of the API. The document is not made while one is missing: a test says which. Every POST takes an
 * Idempotency-Key where it says so here, and only there.
 */
export const operationDetails: Readonly<Record<string, OperationDetails>> = {
  'POST /api/v1/users': {
    operationId: 'createUser',
    tag: 'users',
    description:
      'Registers a user. With an Idempotency-Key, the request can safely be repeated when its response was lost.',
    requestHeaders: ['idempotencyKey'],
  },
  'GET /api/v1/users': {
    operationId: 'listUsers',
    tag: 'users',
    description:
      'Follow the Link header or `nextCursor` to the next page; the cost of a page does not depend on its depth.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'GET /api/v1/users/{id}': {
    operationId: 'getUser',
    tag: 'users',
    description:
      'The ETag identifies the version: send it as If-None-Match to revalidate, or as If-Match to change it.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'PATCH /api/v1/users/{id}': {
    operationId: 'updateUser',
    tag: 'users',
    description:
      'Omitted fields stay as they are (RFC 7396). If-Match protects against lost updates.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'PUT /api/v1/users/{id}': {
    operationId: 'replaceUser',
    tag: 'users',
    description: 'Takes every writable field. If-Match protects against lost updates.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'DELETE /api/v1/users/{id}': {
    operationId: 'deleteUser',
    tag: 'users',
    description: 'Erases the personal data of the user everywhere, and ends sessions and API keys.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'GET /api/v1/users/{id}/export': {
    operationId: 'exportUser',
    tag: 'users',
    description: 'All stored data about the user, in one document.',
  },
  'PUT /api/v1/users/{id}/role': {
    operationId: 'setRole',
    tag: 'users',
    description:
      'For administrators. Tokens with the former role end at once; for a new administrator, all API keys too.',
  },
  'DELETE /api/v1/users/{id}/sessions': {
    operationId: 'endSessions',
    tag: 'authentication',
    description: 'Every access token and every session of the user ends.',
  },
  'POST /api/v1/auth/login': {
    operationId: 'logIn',
    tag: 'authentication',
    description: 'Takes as long, and responds the same, for an unknown address.',
  },
  'POST /api/v1/auth/refresh': {
    operationId: 'refreshTokens',
    tag: 'authentication',
    description:
      'Each refresh token is valid once. Reuse ends the session, except within seconds, as a retry.',
  },
  'POST /api/v1/auth/logout': {
    operationId: 'logOut',
    tag: 'authentication',
    description: 'The access tokens of the session end with it.',
  },
  'GET /api/v1/auth/me': {
    operationId: 'getCurrentUser',
    tag: 'authentication',
    description: 'The owner of the access token or API key of the request.',
  },
  'PUT /api/v1/auth/password': {
    operationId: 'changePassword',
    tag: 'authentication',
    description: 'Requires the current password. All sessions end, and a new one begins.',
  },
  'POST /api/v1/auth/password-resets': {
    operationId: 'requestPasswordReset',
    tag: 'authentication',
    description: 'Responds the same for an unknown address.',
  },
  'POST /api/v1/auth/password-resets/confirm': {
    operationId: 'resetPassword',
    tag: 'authentication',
    description: 'The secret is valid once, for 30 minutes.',
  },
  'GET /reset-password': {
    operationId: 'getResetPage',
    tag: 'authentication',
    description: 'The form that the link in the email opens.',
  },
  'GET /.well-known/jwks.json': {
    operationId: 'getKeySet',
    tag: 'authentication',
    description: 'For programs that verify access tokens by themselves.',
  },
  'POST /api/v1/users/{id}/api-keys': {
    operationId: 'createApiKey',
    tag: 'api-keys',
    description: 'Only this response has the key: the service stores a hash.',
  },
  'GET /api/v1/users/{id}/api-keys': {
    operationId: 'listApiKeys',
    tag: 'api-keys',
    description: 'Valid keys come first.',
  },
  'DELETE /api/v1/users/{id}/api-keys/{apiKeyId}': {
    operationId: 'revokeApiKey',
    tag: 'api-keys',
    description: 'Within two seconds and one query, no process accepts it.',
  },
  'GET /health': {
    operationId: 'getHealth',
    tag: 'operation',
    description: 'A part that is `absent` is not configured.',
  },
  'GET /health/live': {
    operationId: 'getLiveness',
    tag: 'operation',
    description: 'Checks nothing outside the process.',
  },
  'GET /health/ready': {
    operationId: 'getReadiness',
    tag: 'operation',
    description: '503 from the beginning of a shutdown.',
  },
  'GET /problems': {
    operationId: 'listProblemTypes',
    tag: 'reference',
    description: 'An HTML page of links.',
  },
  'GET /problems/{slug}': {
    operationId: 'getProblemType',
    tag: 'reference',
    description: 'The HTML page that the `type` of a problem refers to.',
  },
  'GET /openapi.json': {
    operationId: 'getOpenApiDocument',
    tag: 'reference',
    description: 'This document.',
  },
  'GET /docs': {
    operationId: 'getReferencePage',
    tag: 'reference',
    description: 'This document as an HTML page that can send requests.',
  },
  'GET /docs/{asset}': {
    operationId: 'getReferenceAsset',
    tag: 'reference',
    description: 'A script or style of that page.',
  },
};
