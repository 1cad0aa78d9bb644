import { type Algorithm, type Meter, outcomeOf } from './algorithms/algorithm.ts';
import { type BackoffSettings, exponentialBackoff } from './algorithms/exponential-backoff.ts';
import type { Outcome } from './decision.ts';
import { MAXIMUM_KEYS } from './in-process-limiter.ts';
import { RecentMap } from './recent-map.ts';
import { RedisScript } from './redis-script.ts';
import type { SharedState } from './shared-limiter.ts';

/** Where in Redis the failures are counted. */
const SPACE = 'login-backoff';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Five slips cost nothing; then 1 s, 2 s, 4 s … up to 15 minutes, which leaves a guesser about a hundred attempts a day for an account, from all
 * addresses together. The longest wait is also how long somebody else's guessing can keep the owner out, so it is not longer.
 */
export const LOGIN_BACKOFF: BackoffSettings = {
  freeAttempts: 5,
  firstDelayMilliseconds: SECOND,
  maximumDelayMilliseconds: 15 * MINUTE,
  forgetAfterMilliseconds: 24 * HOUR,
};

/** Whether an attempt to log in may go on to check the password. */
export interface LoginAttempt {
  readonly allowed: boolean;
  /** Time until the next attempt may be made, in milliseconds; 0 for an attempt that is allowed. */
  readonly retryAfterMilliseconds: number;
}

export interface LoginBackoffOptions {
  /** @default none: counted in this process alone */
  readonly state?: SharedState;
  /** @default {@link LOGIN_BACKOFF} */
  readonly settings?: BackoffSettings;
  /** Most accounts held in this process. @default {@link MAXIMUM_KEYS} */
  readonly maximumKeys?: number;
  /** Milliseconds on a clock that never goes back, for counting in this process. @default `performance.now` */
  readonly clock?: () => number;
}

/**
 * Slows down guessing at one account, whatever addresses the guesses come from. To be asked for accounts that do not exist as well, or
 * a wait would tell which do.
 */
export class LoginBackoff {
  readonly #state: SharedState | undefined;
  readonly #script: RedisScript | undefined;
  readonly #algorithm: Algorithm;
  readonly #meters: RecentMap<Meter>;
  readonly #clock: () => number;

  constructor(options: LoginBackoffOptions) {
    this.#algorithm = exponentialBackoff(options.settings ?? LOGIN_BACKOFF);
    this.#state = options.state;
    if (options.state !== undefined) {
      this.#script = new RedisScript(options.state.client, this.#algorithm.script);
    }
    this.#meters = new RecentMap(options.maximumKeys ?? MAXIMUM_KEYS);
    this.#clock = options.clock ?? (() => performance.now());
  }

  /**
   * Asks leave for one attempt, before the password is looked at. The attempt counts as failed from here on, until {@link succeeded}.
   * Never rejects; with Redis down this process counts alone.
   *
   * @param account the email address as typed; case is ignored.
   */
  async attempt(account: string): Promise<LoginAttempt> {
    const { allowed, retryAfterMilliseconds } = await this.#take(account.toLowerCase());
    return { allowed, retryAfterMilliseconds };
  }

  /** Forgets the failures of `account`, whose owner has logged in. Never rejects. */
  async succeeded(account: string): Promise<void> {
    const key = account.toLowerCase();
    this.#meters.delete(key);
    const state = this.#state;
    if (state === undefined || !state.availability.available) return;
    try {
      await state.client.del(state.keyFormat(SPACE, key));
    } catch (error) {
      state.availability.failed(error);
    }
  }

  async #take(key: string): Promise<Outcome> {
    const state = this.#state;
    const script = this.#script;
    if (state !== undefined && script !== undefined && state.availability.available) {
      try {
        const reply = await script.run(
          state.keyFormat(SPACE, key),
          this.#algorithm.scriptArguments,
        );
        return outcomeOf(reply);
      } catch (error) {
        state.availability.failed(error);
      }
    }
    return this.#takeHere(key);
  }

  #takeHere(key: string): Outcome {
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = this.#algorithm.createMeter();
      this.#meters.set(key, meter);
    }
    return meter.take(Math.floor(this.#clock()));
  }
}
