import type { Context, Env, MiddlewareHandler } from 'hono';
import type { RateLimiter } from './decision.ts';
import type { ClientIdentity } from './key.ts';
import { createRequestLimit, requireAllowed } from './request-limit.ts';

/**
 * Counts each request under the policy of `limiter`, and puts `RateLimit` and `RateLimit-Policy` on its answer, whatever
 * that is. Several on one route each add their item to the fields.
 *
 * @param identify who sent the request, as far as it is proved.
 * @throws RateLimitExceeded for a refused request, to be answered by the app's error handler.
 */
export function rateLimit<Environment extends Env>(
  limiter: RateLimiter,
  identify: (context: Context<Environment>) => ClientIdentity,
): MiddlewareHandler<Environment> {
  const limit = createRequestLimit(limiter);
  return async (context, next) => {
    const request = await limit.check(identify(context));
    requireAllowed(request);
    await next();
    // After the handler: a `Response` that it made itself would not get fields that were set before.
    const { 'ratelimit-policy': policy, ratelimit } = request.headers;
    context.header('ratelimit-policy', policy, { append: true });
    context.header('ratelimit', ratelimit, { append: true });
  };
}
