import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { InProcessLimiter } from '../../../../services/user-api/rate-limit/in-process-limiter.ts';
import { rateLimit } from '../../../../services/user-api/rate-limit/middleware.ts';
import type { RateLimitPolicy } from '../../../../services/user-api/rate-limit/policy.ts';
import { RateLimitExceeded } from '../../../../services/user-api/rate-limit/rate-limit-exceeded.ts';
import { createRequestLimit } from '../../../../services/user-api/rate-limit/request-limit.ts';

const policy: RateLimitPolicy = {
  name: 'creates',
  algorithm: 'sliding-window',
  limit: 2,
  windowSeconds: 60,
  keyedBy: ['user', 'address'],
};

function limiterOf(policy: RateLimitPolicy) {
  return new InProcessLimiter({ policy, clock: () => 0 });
}

function appWith(...limiters: readonly InProcessLimiter[]) {
  const app = new Hono();
  for (const limiter of limiters) {
    app.use(rateLimit(limiter, ({ req }) => ({ address: req.header('x-test-address') ?? 'one' })));
  }
  app.get('/', () => new Response('hello'));
  app.get('/failing', () => {
    throw new Error('failed');
  });
  app.onError((error) => {
    if (!(error instanceof RateLimitExceeded)) return new Response('broken', { status: 500 });
    const headers = { ...error.headers, 'content-type': 'application/problem+json' };
    return new Response(JSON.stringify({ detail: error.message }), { status: 429, headers });
  });
  return app;
}

describe('rateLimit', () => {
  it('for allowed requests, puts the fields on the answer of the handler', async () => {
    const answer = await appWith(limiterOf(policy)).request('/');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('ratelimit-policy')).toBe('"creates";q=2;w=60');
    expect(answer.headers.get('ratelimit')).toBe('"creates";r=1;t=60');
    expect(answer.headers.has('retry-after')).toBe(false);
  });

  it('for requests over the limit, lets the error handler answer with 429, Retry-After and the fields', async () => {
    const app = appWith(limiterOf(policy));
    await app.request('/');
    await app.request('/');
    const answer = await app.request('/');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('60');
    expect(answer.headers.get('ratelimit')).toBe('"creates";r=0;t=60');
    expect(await answer.json()).toEqual({
      detail: 'The quota of the policy "creates" is used up.',
    });
  });

  it('for requests that fail, puts the fields on the error as well', async () => {
    const answer = await appWith(limiterOf(policy)).request('/failing');
    expect(answer.status).toBe(500);
    expect(answer.headers.get('ratelimit')).toBe('"creates";r=1;t=60');
  });

  it('with two policies, lists both, and counts each request under both', async () => {
    const answer = await appWith(
      limiterOf(policy),
      limiterOf({ ...policy, name: 'daily', limit: 9, windowSeconds: 86_400 }),
    ).request('/');
    expect(answer.headers.get('ratelimit-policy')?.split(', ').toSorted()).toEqual([
      '"creates";q=2;w=60',
      '"daily";q=9;w=86400',
    ]);
  });

  it('for clients at different addresses, counts apart', async () => {
    const app = appWith(limiterOf({ ...policy, limit: 1 }));
    const from = (address: string) => app.request('/', { headers: { 'x-test-address': address } });
    expect((await from('one')).status).toBe(200);
    expect((await from('one')).status).toBe(429);
    expect((await from('two')).status).toBe(200);
  });
});

describe('createRequestLimit', () => {
  it('outside a framework, counts and gives the fields without a promise', () => {
    const limit = createRequestLimit(limiterOf(policy));
    expect(limit.checkNow({ address: 'one' })).toMatchObject({
      decision: { allowed: true },
      headers: { ratelimit: '"creates";r=1;t=60' },
    });
    expect(limit.check({ address: 'one' })).toMatchObject({ decision: { remaining: 0 } });
    expect(limit.checkNow({ address: 'one' })?.headers['retry-after']).toBe('60');
  });
});
