import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth/authenticator.ts';
import { AccessError } from '../auth/errors.ts';
import type { Identity } from '../auth/identity.ts';
import { Problem } from '../http/problem.ts';
import type { RoutePolicyName } from '../rate-limit/default-policies.ts';
import { type ClientIdentity, callerKey } from '../rate-limit/key.ts';
import { RateLimitExceeded } from '../rate-limit/rate-limit-exceeded.ts';
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
  /** Where a request comes from, as `client-address/` finds it. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** A request that may have been counted already. */
type CountedMessage = IncomingMessage & {
  readonly counted?: CheckedRequest | undefined;
  clientAddress?: string;
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
  readonly #addressOf: AdmissionParts['addressOf'];
  readonly #limits: Readonly<Record<RoutePolicyName, RequestLimit>>;
  /** Requests by what they came with, for metrics; refused are those whose credentials are not good. */
  readonly counts = { anonymous: 0, user: 0, 'api-key': 0, refused: 0 };

  constructor({ addressOf, authenticator, limits }: AdmissionParts) {
    this.#authenticator = authenticator;
    this.#addressOf = addressOf;
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
  admit(
    incoming: CountedMessage,
    outgoing: ServerResponse,
    policy: RoutePolicyName | null,
  ): Identity | Promise<Identity> {
    const count = (identity: Identity) => {
      if (incoming.counted === undefined) this.counts[identity.kind] += 1;
      return this.#count(identity, incoming, outgoing, policy);
    };
    const refuse = (error: unknown) => this.#refuse(error, incoming, outgoing, policy);
    let identity: Identity | Promise<Identity>;
    try {
      identity = this.#authenticator.authenticate(incoming.headers, () =>
        this.#addressOf(incoming),
      );
    } catch (error) {
      return refuse(error);
    }
    return identity instanceof Promise ? identity.then(count, refuse) : count(identity);
  }

  /**
   * Counts a request without credentials under `reads`, without waiting; undefined, and nothing counted, when Redis must be asked: then
   * {@link admit} does. For listeners that answer before any promise. Who leaves a request that was counted to {@link admit} gives it
   * what this returned as `counted`.
   */
  countAnonymousReadNow(incoming: IncomingMessage): CheckedRequest | undefined {
    const checked = this.#limits.reads.checkNow(this.#addressOf(incoming));
    if (checked !== undefined) this.counts.anonymous += 1;
    return checked;
  }

  /**
   * Counts a request that is refused before anybody looks at who sends it, under `reads` by its address.
   *
   * @returns what to answer in place of that refusal; null when the request is within the limit.
   */
  async countRefused(incoming: IncomingMessage): Promise<Problem | null> {
    const { decision, headers } = await this.#limits.reads.check({
      address: this.#addressOf(incoming),
    });
    if (decision.allowed) return null;
    const { message } = new RateLimitExceeded(decision, headers);
    return new Problem('rate-limit-exceeded', message, { headers: { ...headers } });
  }

  /** Names who sends a request: the API key, else the user, else the address. */
  callerOf(identity: Identity, incoming: IncomingMessage): string {
    return callerKey(clientOf(identity, this.#addressOf(incoming)));
  }

  #count(
    identity: Identity,
    incoming: CountedMessage,
    outgoing: ServerResponse,
    policy: RoutePolicyName | null,
  ): Identity | Promise<Identity> {
    incoming.clientAddress = this.#addressOf(incoming);
    if (policy === null) return identity;
    const checked =
      incoming.counted ?? this.#limits[policy].check(clientOf(identity, incoming.clientAddress));
    const pass = (request: CheckedRequest) => {
      for (const [name, value] of Object.entries(request.headers)) outgoing.setHeader(name, value);
      requireAllowed(request);
      return identity;
    };
    return checked instanceof Promise ? checked.then(pass) : pass(checked);
  }

  async #refuse(
    error: unknown,
    incoming: CountedMessage,
    outgoing: ServerResponse,
    policy: RoutePolicyName | null,
  ): Promise<never> {
    if (error instanceof AccessError) {
      this.counts.refused += 1;
      await this.#count({ kind: 'anonymous' }, incoming, outgoing, policy);
    }
    throw error;
  }
}
