import type { Authenticator } from '../auth/authenticator.ts';
import { AccessError } from '../auth/errors.ts';
import type { Identity } from '../auth/identity.ts';
import type { ApiBindings } from '../http/environment.ts';
import { Problem } from '../http/problem.ts';
import {
  type CheckedRequest,
  headersFor,
  type RateLimitDecision,
  RateLimitExceeded,
  type RateLimiter,
} from '../rate-limit/decision.ts';
import type { RoutePolicyName } from '../rate-limit/default-policies.ts';
import { addressKey, type ClientIdentity, callerKey, userKey } from '../rate-limit/key.ts';
import type { RateLimits } from '../rate-limit/rate-limits.ts';
import { RecentMap } from '../rate-limit/recent-map.ts';

export interface AdmissionParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly limits: Pick<RateLimits, 'limiters' | 'usersAtAddress'>;
}

/** What is looked at of a request. */
type AdmittedRequest = Pick<ApiBindings, 'address' | 'found' | 'outgoing'> & {
  readonly incoming: Pick<ApiBindings['incoming'], 'headers'>;
};

/** Whom a request is counted by. */
function clientOf(identity: Identity, address: string): ClientIdentity {
  switch (identity.kind) {
    case 'anonymous':
      return { address };
    case 'user':
      return { userId: identity.userId, address };
    case 'api-key':
      return { apiKeyId: identity.apiKeyId, userId: identity.userId, address };
  }
}

/**
 * Lets requests in: finds out who sends one, and counts it under the policy of its route, by account and by
 * address. A request with credentials that are
 * not good counts by its address, so that guessing them is limited as well. The fields of the limit go on the response, whatever
 * that will be.
 *
 * Without credentials nothing is waited for as long as the limit is decided in this process, as that of reads is.
 */
export class Admission {
  readonly #authenticator: AdmissionParts['authenticator'];
  readonly #limits: Readonly<Record<RoutePolicyName, RequestLimit>>;
  /** Requests by what they came with, for metrics; refused are those whose credentials are not good. */
  readonly counts = { anonymous: 0, user: 0, 'api-key': 0, refused: 0 };

  constructor({ authenticator, limits }: AdmissionParts) {
    this.#authenticator = authenticator;
    const limitOf = (name: RoutePolicyName) =>
      createRequestLimit(limits.limiters[name], limits.usersAtAddress[name]);
    this.#limits = {
      reads: limitOf('reads'),
      creates: limitOf('creates'),
      updates: limitOf('updates'),
      deletes: limitOf('deletes'),
      logins: limitOf('logins'),
    };
  }

  /**
   * @param policy - null: the request is not counted.
   * @returns who sends it, at once where nothing has to be waited for.
   * @throws {@link AccessError} for bad credentials, `RateLimitExceeded`; at once or later.
   */
  admit(request: AdmittedRequest, policy: RoutePolicyName | null): Identity | Promise<Identity> {
    const { address, found, incoming } = request;
    const count = (identity: Identity) => {
      if (found.counted === undefined) this.counts[identity.kind] += 1;
      return this.#count(identity, request, policy);
    };
    const refuse = (error: unknown) => this.#refuse(error, request, policy);
    let identity: Identity | Promise<Identity>;
    try {
      identity = this.#authenticator.authenticate(incoming.headers, address);
    } catch (error) {
      return refuse(error);
    }
    return identity instanceof Promise ? identity.then(count, refuse) : count(identity);
  }

  /**
   * Counts a request without credentials under `reads`, without waiting; undefined, and nothing counted, when Redis must be asked: then
   * {@link admit} does. For the fast path; what it passes on brings along what this returned.
   */
  countAnonymousReadNow(address: string): CheckedRequest | undefined {
    const checked = this.#limits.reads.checkNow(address);
    if (checked !== undefined) this.counts.anonymous += 1;
    return checked;
  }

  /**
   * Counts a request that is refused before anybody looks at who sends it, under `reads` by its address.
   *
   * @returns what to answer in place of that refusal; null when the request is within the limit.
   */
  async countRefused(address: string): Promise<Problem | null> {
    const { decision, headers } = await this.#limits.reads.check({ address });
    if (decision.allowed) return null;
    const { message } = new RateLimitExceeded(decision, headers);
    return new Problem('rate-limit-exceeded', message, { headers: { ...headers } });
  }

  /** Names who sends a request: the API key, else the user, else the address. */
  callerOf(identity: Identity, address: string): string {
    return callerKey(clientOf(identity, address));
  }

  #count(
    identity: Identity,
    { address, found, outgoing }: AdmittedRequest,
    policy: RoutePolicyName | null,
  ): Identity | Promise<Identity> {
    if (policy === null) return identity;
    const checked = found.counted ?? this.#limits[policy].check(clientOf(identity, address));
    const pass = (request: CheckedRequest) => {
      for (const [name, value] of Object.entries(request.headers)) outgoing.setHeader(name, value);
      requireAllowed(request);
      return identity;
    };
    return checked instanceof Promise ? checked.then(pass) : pass(checked);
  }

  async #refuse(
    error: unknown,
    request: AdmittedRequest,
    policy: RoutePolicyName | null,
  ): Promise<never> {
    if (error instanceof AccessError) {
      this.counts.refused += 1;
      await this.#count({ kind: 'anonymous' }, request, policy);
    }
    throw error;
  }
}

/** Addresses whose keys are kept: those of clients that come often. */
const REMEMBERED_KEYS = 4_096;

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
