import type { RateLimitDecision, RateLimiter } from './decision.ts';
import { headersFor, RateLimitExceeded, type RateLimitHeaders } from './decision.ts';
import { addressKey, type ClientIdentity, userKey } from './key.ts';
import { RecentMap } from './recent-map.ts';

/** Addresses whose keys are kept: those of clients that come often. */
const REMEMBERED_KEYS = 4_096;

/** A request that has been counted, or refused. */
export interface CheckedRequest {
  readonly decision: RateLimitDecision;
  /** What the response carries, whether it was allowed or not. */
  readonly headers: RateLimitHeaders;
}

/** One policy as requests meet it: whose request it is, the decision, and the fields of the response. */
export interface RequestLimit {
  /**
   * Counts a request without credentials and without waiting; `undefined`, and nothing counted, when Redis must be asked: then {@link check}
   * does. For listeners that answer before any promise.
   */
  checkNow(address: string): CheckedRequest | undefined;
  /**
   * Counts a request under every limit that applies, without a promise whenever this process can decide, and gives the decision that leaves the
   * client least. Never rejects. A request that one limit refuses may count under the other.
   */
  check(identity: ClientIdentity): CheckedRequest | Promise<CheckedRequest>;
}

/** Which of two decisions about one request a client should know. */
function tighter(one: CheckedRequest, other: CheckedRequest): CheckedRequest {
  const [first, second] = [one.decision, other.decision];
  if (first.allowed !== second.allowed) return first.allowed ? other : one;
  if (!first.allowed) {
    return second.retryAfterMilliseconds > first.retryAfterMilliseconds ? other : one;
  }
  return second.remaining < first.remaining ? other : one;
}

/**
 * @param own - counts by account, and by address for who has none.
 * @param usersAtAddress - counts all accounts behind an address together. @default `own`: they count with everybody else behind it
 */
export function createRequestLimit(own: RateLimiter, usersAtAddress = own): RequestLimit {
  const withHeaders = (limiter: RateLimiter) => {
    const headers = headersFor(limiter.policy);
    return (decision: RateLimitDecision): CheckedRequest => ({
      decision,
      headers: headers(decision),
    });
  };
  const ofOwn = withHeaders(own);
  const ofAddress = withHeaders(usersAtAddress);
  const countsUsers = own.policy.keyedBy.some((kind) => kind === 'user');
  // A key that is recreated is hashed again, too, when what belongs to it is looked up.
  const addressKeys = new RecentMap<string>(REMEMBERED_KEYS);
  const keyOf = (address: string): string => {
    const known = addressKeys.get(address);
    if (known !== undefined) return known;
    const key = addressKey(address);
    addressKeys.set(address, key);
    return key;
  };
  const later = async (
    one: RateLimitDecision | Promise<RateLimitDecision>,
    other: RateLimitDecision | Promise<RateLimitDecision>,
  ) => {
    const [first, second] = await Promise.all([one, other]);
    return tighter(ofOwn(first), ofAddress(second));
  };
  return {
    checkNow(address) {
      const decision = own.decideNow(keyOf(address));
      return decision && ofOwn(decision);
    },
    check({ address, userId }) {
      if (userId === undefined || !countsUsers) {
        const decision = own.decide(keyOf(address));
        return decision instanceof Promise ? decision.then(ofOwn) : ofOwn(decision);
      }
      // First, so that what a user has too much is not taken from others behind the address.
      const byUser = own.decide(userKey(userId));
      if (!(byUser instanceof Promise) && !byUser.allowed) return ofOwn(byUser);
      const byAddress = usersAtAddress.decide(keyOf(address));
      if (byUser instanceof Promise || byAddress instanceof Promise) {
        return later(byUser, byAddress);
      }
      return tighter(ofOwn(byUser), ofAddress(byAddress));
    },
  };
}

/** @throws {@link RateLimitExceeded} when `request` was refused. */
export function requireAllowed(request: CheckedRequest): void {
  if (!request.decision.allowed) throw new RateLimitExceeded(request.decision, request.headers);
}
