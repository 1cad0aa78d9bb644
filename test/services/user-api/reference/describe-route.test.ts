import { createRoute, z } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import type { Permission } from '../../../../services/user-api/auth/permissions.ts';
import { problems } from '../../../../services/user-api/http/route-parts.ts';
import { describeRoute } from '../../../../services/user-api/reference/describe-route.ts';

const route = createRoute({
  method: 'get',
  path: '/things',
  responses: {
    200: { description: 'The things', headers: { ETag: { schema: { type: 'string' } } } },
    ...problems('invalid-idempotency-key', 'database-unavailable'),
  },
});

const permission = (changes: Partial<Permission>): Permission => ({
  method: 'GET',
  path: '/things',
  anonymous: 'yes',
  user: 'all',
  admin: 'all',
  apiKey: 'any key',
  login: 'any',
  ...changes,
});

const describeWith = (changes: Partial<Permission>, policy: 'reads' | null = 'reads') =>
  describeRoute(route, { permission: permission(changes), policy });

/** The names of a response's fields. */
function fieldsOf(described: ReturnType<typeof describeRoute>, status: string) {
  const response = described.responses[status];
  return response !== undefined && 'headers' in response ? Object.keys(response.headers ?? {}) : [];
}

function descriptionOf(described: ReturnType<typeof describeRoute>, status: string) {
  const response = described.responses[status];
  return response !== undefined && 'description' in response ? response.description : undefined;
}

describe('the description of a route', () => {
  it('has what may be answered in its place, by status, each once', () => {
    const described = describeWith({});
    expect(Object.keys(described.responses)).toEqual([
      '200',
      '400',
      '401',
      '408',
      '412',
      '414',
      '417',
      '429',
      '431',
      '500',
      '501',
      '503',
    ]);
    expect(descriptionOf(described, '200')).toBe('The things');
    expect(descriptionOf(described, '400')).toBe('Invalid Idempotency-Key; Malformed request');
    expect(descriptionOf(described, '503')).toBe(
      'Database unavailable; Overloaded; Deadline exceeded',
    );
    expect(described.responses['429']).toMatchObject({
      content: { 'application/problem+json': { schema: expect.anything() } },
    });
  });

  it('says who may use it', () => {
    expect(describeWith({}).security).toEqual([{}, { accessToken: [] }, { apiKey: [] }]);
    expect(describeWith({ anonymous: 'no', apiKey: 'no key' }).security).toEqual([
      { accessToken: [] },
    ]);
    expect(describeRoute(route, { permission: undefined, policy: null }).security).toBeUndefined();
    expect(descriptionOf(describeWith({}), '403')).toBeUndefined();
    const closed = describeWith({ anonymous: 'no' });
    const recent = describeWith({ anonymous: 'no', login: 'recent' });
    expect(descriptionOf(closed, '401')).toContain('Credentials required');
    expect(descriptionOf(closed, '403')).toBe('Forbidden');
    expect(descriptionOf(recent, '401')).toContain('Login too old');
    expect(descriptionOf(closed, '401')).not.toContain('Login too old');
  });

  it('has the fields of each response', () => {
    const described = describeWith({});
    const limit = ['RateLimit-Policy', 'RateLimit'];
    expect(fieldsOf(described, '200')).toEqual(['ETag', 'X-Request-Id', ...limit]);
    expect(fieldsOf(described, '429')).toEqual(['X-Request-Id', ...limit, 'Retry-After']);
    expect(fieldsOf(described, '503')).toEqual(['X-Request-Id', ...limit, 'Retry-After']);
    const uncounted = describeWith({}, null);
    expect(fieldsOf(uncounted, '200')).toEqual(['ETag', 'X-Request-Id']);
    expect(fieldsOf(uncounted, '429')).toEqual(['X-Request-Id', ...limit, 'Retry-After']);
    expect(fieldsOf(uncounted, '503')).toEqual(['X-Request-Id', 'Retry-After']);
  });

  it('leaves references as they are, and takes no headers as a schema', () => {
    const reference = { $ref: '#/components/responses/x' };
    const described = describeRoute(
      { ...route, responses: { 201: reference } },
      { permission: undefined, policy: null },
    );
    expect(described.responses['201']).toEqual(reference);
    const headers = z.object({ etag: z.string() });
    const wrong = { ...route, responses: { 200: { description: '', headers } } };
    expect(() => describeRoute(wrong, { permission: undefined, policy: null })).toThrow(
      'Describe headers as plain objects',
    );
  });
});
