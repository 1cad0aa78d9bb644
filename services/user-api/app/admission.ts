import type { Authenticator } from '../auth/authenticator.ts';
import { AccessError } from '../auth/errors.ts';
import type { Identity } from '../auth/identity.ts';
import type { ApiBindings } from '../http/environment.ts';
import { Problem } from '../http/problem.ts';
import { RateLimitExceeded } from '../rate-limit/decision.ts';
import type { RoutePolicyName } from '../rate-limit/default-policies.ts';
import { type ClientIdentity, callerKey } from '../rate-limit/key.ts';
import type { RateLimits } from '../rate-limit/rate-limits.ts';
import {
  type CheckedRequest,
  createRequestLimit,
  type RequestLimit,
  requireAllowed,
} from '../rate-limit/request-limit.ts';

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
