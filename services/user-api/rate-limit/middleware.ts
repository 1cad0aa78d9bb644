import type { Context, Env, MiddlewareHandler } from 'hono';
import type { RateLimiter } from './decision.ts';
import { headersFor } from './headers.ts';
import { type ClientIdentity, keyFor } from './key.ts';
import { RateLimitExceeded } from './rate-limit-exceeded.ts';

/**
 * Counts each request under the policy of `limiter`, and sets `RateLimit` and `RateLimit-Policy` on its answer, errors included. Several of these
 * on one route each add their item to the fields. Awaits nothing when the limiter decides at once.
 *
 * @param identify who sent the request, as far as it is proved.
 * @throws {@link RateLimitExceeded} for a refused request, with `Retry-After` already set on the answer.
 */
export function rateLimit<Environment extends Env>(
  limiter: RateLimiter,
  identify: (context: Context<Environment>) => ClientIdentity,
): MiddlewareHandler<Environment> {
  const headers = headersFor(limiter.policy);
  return async (context, next) => {
    const decided = limiter.decide(keyFor(limiter.policy, identify(context)));
    const decision = decided instanceof Promise ? await decided : decided;
    const fields = headers(decision);
    context.header('RateLimit-Policy', fields['RateLimit-Policy'], { append: true });
    context.header('RateLimit', fields.RateLimit, { append: true });
    if (fields['Retry-After'] !== undefined) context.header('Retry-After', fields['Retry-After']);
    if (!decision.allowed) throw new RateLimitExceeded(decision);
    await next();
  };
}
