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
  users: 'Users, and what belongs to one.',
  authentication: 'Logging in, staying logged in, and passwords.',
  'api-keys': 'Keys by which programs act for a user.',
  operation: 'How the service is. For load balancers and people on call.',
  reference: 'What the API is, and what its errors mean.',
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
      'Registers a user. With an Idempotency-Key it can be sent again safely when its response was lost.',
    requestHeaders: ['idempotencyKey'],
  },
  'GET /api/v1/users': {
    operationId: 'listUsers',
    tag: 'users',
    description:
      'Pages follow the Link header (or `nextCursor`), at a cost that does not depend on how deep the page is.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'GET /api/v1/users/{id}': {
    operationId: 'getUser',
    tag: 'users',
    description:
      'The ETag names the version: send it as If-None-Match, or as If-Match to change it.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'PATCH /api/v1/users/{id}': {
    operationId: 'updateUser',
    tag: 'users',
    description:
      'Fields that are left out stay as they are (RFC 7396). With If-Match, nothing is overwritten unseen.',
    requestHeaders: ['ifMatch', 'ifNoneMatch'],
  },
  'PUT /api/v1/users/{id}': {
    operationId: 'replaceUser',
    tag: 'users',
    description: 'Takes every field that can be set. With If-Match, nothing is overwritten unseen.',
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
    description: 'All that is held about the user, in one document.',
  },
  'PUT /api/v1/users/{id}/role': {
    operationId: 'setRole',
    tag: 'users',
    description:
      'For administrators. Tokens of the user with the former role end at once; and, for a new administrator, all API keys.',
  },
  'DELETE /api/v1/users/{id}/sessions': {
    operationId: 'endSessions',
    tag: 'authentication',
    description: 'Every access token and every session of the user ends.',
  },
  'POST /api/v1/auth/login': {
    operationId: 'logIn',
    tag: 'authentication',
    description: 'Takes as long, and answers the same, for an address that nobody has.',
  },
  'POST /api/v1/auth/refresh': {
    operationId: 'refreshTokens',
    tag: 'authentication',
    description:
      'Each refresh token is good once; one that comes again ends the session, unless it comes within seconds, as a retry does.',
  },
  'POST /api/v1/auth/logout': {
    operationId: 'logOut',
    tag: 'authentication',
    description: 'The access tokens of the session end with it.',
  },
  'GET /api/v1/auth/me': {
    operationId: 'getCurrentUser',
    tag: 'authentication',
    description: 'Who the access token or API key of the request belongs to.',
  },
  'PUT /api/v1/auth/password': {
    operationId: 'changePassword',
    tag: 'authentication',
    description: 'Takes the current password too. All sessions end, and a new one begins.',
  },
  'POST /api/v1/auth/password-resets': {
    operationId: 'requestPasswordReset',
    tag: 'authentication',
    description: 'Answers the same for an address that nobody has.',
  },
  'POST /api/v1/auth/password-resets/confirm': {
    operationId: 'resetPassword',
    tag: 'authentication',
    description: 'The secret is good once, and for 30 minutes.',
  },
  'GET /reset-password': {
    operationId: 'getResetPage',
    tag: 'authentication',
    description: 'For people: the form that a link in an email opens.',
  },
  'GET /.well-known/jwks.json': {
    operationId: 'getKeySet',
    tag: 'authentication',
    description: 'For programs that verify access tokens by themselves.',
  },
  'POST /api/v1/users/{id}/api-keys': {
    operationId: 'createApiKey',
    tag: 'api-keys',
    description: 'The key is in this answer and nowhere else: the service keeps only a hash.',
  },
  'GET /api/v1/users/{id}/api-keys': {
    operationId: 'listApiKeys',
    tag: 'api-keys',
    description: 'Those that are good come first.',
  },
  'DELETE /api/v1/users/{id}/api-keys/{apiKeyId}': {
    operationId: 'revokeApiKey',
    tag: 'api-keys',
    description: 'Within two seconds and a query, no process takes it any more.',
  },
  'GET /health': {
    operationId: 'getHealth',
    tag: 'operation',
    description: 'A part that is `absent` is not configured.',
  },
  'GET /health/live': {
    operationId: 'getLiveness',
    tag: 'operation',
    description: 'Touches nothing outside the process.',
  },
  'GET /health/ready': {
    operationId: 'getReadiness',
    tag: 'operation',
    description: 'Says no from the moment that a shutdown begins.',
  },
  'GET /problems': {
    operationId: 'listProblemTypes',
    tag: 'reference',
    description: 'For people: a page of links.',
  },
  'GET /problems/{slug}': {
    operationId: 'getProblemType',
    tag: 'reference',
    description: 'For people: the page that the `type` of a problem names.',
  },
  'GET /openapi.json': {
    operationId: 'getOpenApiDocument',
    tag: 'reference',
    description: 'This document.',
  },
  'GET /docs': {
    operationId: 'getReferencePage',
    tag: 'reference',
    description: 'For people: this document as a page, from which requests can be sent.',
  },
  'GET /docs/{asset}': {
    operationId: 'getReferenceAsset',
    tag: 'reference',
    description: 'A script or style of that page.',
  },
};
