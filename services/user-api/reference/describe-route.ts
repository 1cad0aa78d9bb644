import { createRoute, z } from '@hono/zod-openapi';
import type { Permission } from '../auth/permissions.ts';
import type { Operation } from '../http/operations.ts';
import type { ProblemSlug } from '../http/problem-types.ts';
import { problems } from '../http/route-parts.ts';
import type { RoutePolicyName } from '../rate-limit/default-policies.ts';

type Route = Operation['route'];

/** Pipeline steps before an operation, which may respond in its place. */
export interface Surroundings {
  /** The route's row in the table of permissions. */
  readonly permission: Permission | undefined;
  /** What its requests count under; null for nothing. */
  readonly policy: RoutePolicyName | null;
}

/** The names of the two ways to say who one is, as the OpenAPI document has them. */
export const ACCESS_TOKEN_SCHEME = 'accessToken';
export const API_KEY_SCHEME = 'apiKey';

const rateLimitFields = {
  'RateLimit-Policy': {
    description: 'The policy that the request counts under, such as `"reads";q=1000;w=60`',
    schema: { type: 'string' },
  },
  RateLimit: {
    description: 'What remains of it, such as `"reads";r=997;t=1`',
    schema: { type: 'string' },
  },
} as const;
const retryAfter = {
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } },
} as const;
const requestId = {
  'X-Request-Id': {
    description: 'Names the request in logs: the one that it came with, or a new one',
    schema: { type: 'string' },
  },
} as const;
const RATE_LIMITED = '429';
/** Statuses that say when to come again. */
const RETRY_STATUSES: ReadonlySet<string> = new Set([RATE_LIMITED, '503']);

function security({ anonymous, apiKey }: Permission): Record<string, string[]>[] {
  return [
    ...(anonymous === 'yes' ? [{}] : []),
    { [ACCESS_TOKEN_SCHEME]: [] },
    ...(apiKey === 'no key' ? [] : [{ [API_KEY_SCHEME]: [] }]),
  ];
}

function surroundingProblems({ permission }: Surroundings): ProblemSlug[] {
  return [
    // The server responds, before there is a route.
    'malformed-request',
    'uri-too-long',
    'headers-too-large',
    'request-timeout',
    'precondition-failed',
    'expectation-failed',
    'transfer-coding-unsupported',
    'invalid-access-token',
    'invalid-api-key',
    // An API key is looked up.
    'database-unavailable',
    'overloaded',
    ...(permission?.anonymous === 'yes' ? [] : (['credentials-required', 'forbidden'] as const)),
    ...(permission?.login === 'recent' ? (['login-too-old'] as const) : []),
    // Everywhere, because API keys that do not exist are counted wherever they are sent.
    'rate-limit-exceeded',
    'deadline-exceeded',
    'internal-error',
  ];
}

/** Titles of problems that share a status stand in one description, each once. */
function mergeDescriptions(first: string | undefined, second: string): string {
  const titles = [...(first?.split('; ') ?? []), ...second.split('; ')];
  return [...new Set(titles)].join('; ');
}

/**
 * Completes a route's description with what stands in front of it: who may use it, the problems that it may be answered with before it
 * is reached or instead of its response, and the fields of its limit. It is made from the tables that decide, so that it is true.
 */
export function describeRoute(route: Route, surroundings: Surroundings): Route {
  const { permission, policy } = surroundings;
  const responses: Record<string, Route['responses'][string]> = { ...route.responses };
  for (const [status, response] of Object.entries(problems(...surroundingProblems(surroundings)))) {
    const declared = responses[status];
    const description =
      declared !== undefined && 'description' in declared ? declared.description : undefined;
    responses[status] = {
      ...response,
      description: mergeDescriptions(description, response.description),
    };
  }
  for (const [status, response] of Object.entries(responses)) {
    if ('$ref' in response) continue;
    responses[status] = {
      ...response,
      headers: {
        ...plainHeaders(response.headers),
        ...requestId,
        ...(policy === null && status !== RATE_LIMITED ? {} : rateLimitFields),
        ...(RETRY_STATUSES.has(status) ? retryAfter : {}),
      },
    };
  }
  return createRoute({
    ...route,
    ...(permission === undefined ? {} : { security: security(permission) }),
    responses,
  });
}

type Headers = Exclude<Route['responses'][string], { $ref: string }>['headers'];

/** Headers of responses are described as OpenAPI has them, not as schemas of zod. */
function plainHeaders(headers: Headers): Exclude<Headers, z.ZodObject> {
  if (headers instanceof z.ZodObject) throw new TypeError('Describe headers as plain objects');
  return headers;
}
