import { availableParallelism } from 'node:os';
import { currentScope, ScopeEnded } from '../../../contracts/changes/change-scope.ts';
import { ConcurrencyLimiter, NoSlot } from '../../../contracts/concurrency/concurrency-limiter.ts';
import { UNKNOWN_ADDRESS } from '../../client-address/client-address.ts';
import { AccessError } from '../errors.ts';
import {
  ARGON2ID_COST,
  type Argon2idCost,
  costsOtherwise,
  hashArgon2id,
  unmatchableArgon2id,
  verifyArgon2id,
} from './argon2id.ts';

/**
 * Most hashes at once. libuv has 4 threads unless UV_THREADPOOL_SIZE says otherwise, and DNS, files and the verifying of
 * tokens need some; and half of the cores, so that the event loop is not crowded out of its own.
 */
const CONCURRENCY_MAXIMUM = 2;
export const defaultPasswordConcurrency = (cores: number = availableParallelism()): number =>
  Math.min(CONCURRENCY_MAXIMUM, Math.max(1, Math.floor(cores / 2)));
/** Waits of about a second at most: 32 hashes of some 30 ms, one after the other. */
const MAXIMUM_WAITING = 32;
const RETRY_AFTER_SECONDS = 1;

export interface PasswordHasherOptions {
  /** What a new hash costs. @default ARGON2ID_COST */
  readonly cost?: Argon2idCost;
  /** Most hashes at once. @default half of the cores, at least 1 and at most 2 */
  readonly concurrency?: number | undefined;
  /** Most hashes that wait. @default 32 */
  readonly maximumWaiting?: number;
}

export interface PasswordVerdict {
  readonly matches: boolean;
  /** The password matched a hash of another cost than new ones have: make a new one while the password is at hand. */
  readonly isOutdated: boolean;
}

/** Hashes and verifies passwords, a bounded number at once: a storm of logins must not starve everything else. */
export class PasswordHasher {
  readonly #cost: Argon2idCost;
  readonly #slots: ConcurrencyLimiter;
  readonly #unmatchable: string;

  constructor(options: PasswordHasherOptions = {}) {
    this.#cost = options.cost ?? ARGON2ID_COST;
    this.#unmatchable = unmatchableArgon2id(this.#cost);
    this.#slots = new ConcurrencyLimiter({
      concurrency: options.concurrency ?? defaultPasswordConcurrency(),
      maximumWaiting: options.maximumWaiting ?? MAXIMUM_WAITING,
    });
  }

  /** Hashes in flight and waiting, for metrics. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#slots.running, waiting: this.#slots.waiting };
  }

  /**
   * @param caller - who waits in turn with other callers, such as an address.
   * @returns a PHC string to store.
   * @throws {@link AccessError} password-hashing-busy when too many wait.
   */
  async hash(password: string, caller = UNKNOWN_ADDRESS): Promise<string> {
    return await this.#run(caller, () => hashArgon2id(password, this.#cost));
  }

  /**
   * Compares `password` with what is stored. Where nothing is stored, because there is no such account or it has no
   * password, it takes as long and does not match, so that time does not tell who has an account.
   *
   * @throws {@link AccessError} password-hashing-busy when too many wait.
   * @throws MalformedPasswordHash when what is stored is damaged.
   */
  async verify(
    password: string,
    encoded: string | null,
    caller = UNKNOWN_ADDRESS,
  ): Promise<PasswordVerdict> {
    const matches = await this.#run(caller, () =>
      verifyArgon2id(password, encoded ?? this.#unmatchable),
    );
    return {
      matches: matches && encoded !== null,
      isOutdated: matches && encoded !== null && costsOtherwise(encoded, this.#cost),
    };
  }

  async #run<Result>(caller: string, task: () => Promise<Result>): Promise<Result> {
    const scope = currentScope();
    try {
      return await this.#slots.run(async () => {
        // Nobody waits for it any more, and others wait for the place.
        if (scope?.isEnded === true) throw new ScopeEnded('The request has ended');
        return await task();
      }, caller);
    } catch (error) {
      if (!(error instanceof NoSlot)) throw error;
      throw new AccessError(
        'password-hashing-busy',
        'As many passwords are being checked as this server checks at once.',
        { cause: error, retryAfterSeconds: RETRY_AFTER_SECONDS },
      );
    }
  }
}
