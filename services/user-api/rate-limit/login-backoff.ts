import { RedisScript, type ScriptClient } from '../redis/redis-script.ts';
import { parseOutcome } from './algorithms/algorithm.ts';
import {
  type BackoffMeter,
  type BackoffSettings,
  exponentialBackoff,
  WITHDRAWAL_SCRIPT,
} from './algorithms/exponential-backoff.ts';
import type { RateLimitOutcome } from './decision.ts';
import { MAXIMUM_KEYS } from './in-process-limiter.ts';
import type { RedisKeyFormat } from './key.ts';
import { RecentMap } from './recent-map.ts';
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

/** How long an address is known after a login from it, in seconds: 30 days. */
const KNOWN_ADDRESS_SECONDS = 2_592_000;
const KNOWN_SPACE = 'login-address';

/** Whether an attempt to log in may go on to check the password. */
export interface LoginAttempt {
  readonly allowed: boolean;
  /** Time until the next attempt may be made, in milliseconds; 0 for an attempt that is allowed. */
  readonly retryAfterMilliseconds: number;
  /** The password was not looked at: the attempt counts for nothing. Never rejects. */
  withdraw(): Promise<void>;
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
 * a wait would tell which do. Attempts from an address that has logged in to the account in the last 30 days count apart from
 * all others, so that strangers cannot keep its owner out there.
 */
export class LoginBackoff {
  readonly #state: SharedState | undefined;
  readonly #scripts: { readonly take: RedisScript; readonly withdraw: RedisScript } | undefined;
  readonly #algorithm: ReturnType<typeof exponentialBackoff>;
  readonly #meters: RecentMap<BackoffMeter>;
  /** In this process alone: where Redis is absent or down. */
  readonly #known: RecentMap<true>;
  readonly #clock: () => number;

  constructor(options: LoginBackoffOptions) {
    this.#algorithm = exponentialBackoff(options.settings ?? LOGIN_BACKOFF);
    this.#state = options.state;
    if (options.state !== undefined) {
      const { client } = options.state;
      this.#scripts = {
        take: new RedisScript(client, this.#algorithm.script),
        withdraw: new RedisScript(client, WITHDRAWAL_SCRIPT),
      };
    }
    this.#meters = new RecentMap(options.maximumKeys ?? MAXIMUM_KEYS);
    this.#known = new RecentMap(options.maximumKeys ?? MAXIMUM_KEYS);
    this.#clock = options.clock ?? (() => performance.now());
  }

  /**
   * Asks leave for one attempt, before the password is looked at. The attempt counts as failed from here on, until {@link succeeded}, or
   * until it is withdrawn. Never rejects; with Redis down this process counts alone.
   *
   * @param account the email address as typed, of which case is ignored; or another name of what is guessed at.
   * @param address where it comes from; undefined where that does not matter.
   */
  async attempt(account: string, address?: string): Promise<LoginAttempt> {
    const key = await this.#keyOf(account.toLowerCase(), address);
    const { allowed, resetMilliseconds, retryAfterMilliseconds, isShared } = await this.#take(key);
    return {
      allowed,
      retryAfterMilliseconds,
      withdraw: async () => {
        if (!allowed) return;
        if (!isShared) this.#meters.get(key)?.withdraw(resetMilliseconds);
        else
          await this.#ask((redisKey) =>
            this.#scripts?.withdraw.run(redisKey(SPACE, key), [resetMilliseconds]),
          );
      },
    };
  }

  /** Forgets the failures of `account`, whose owner has been recognised at `address`, and remembers that address. Never rejects. */
  async succeeded(account: string, address?: string): Promise<void> {
    const key = account.toLowerCase();
    const keys = address === undefined ? [key] : [key, atAddress(key, address)];
    for (const each of keys) this.#meters.delete(each);
    if (address !== undefined) this.#known.set(atAddress(key, address), true);
    await this.#ask(async (redisKey, client) => {
      const known =
        address === undefined
          ? []
          : [
              client.set(
                redisKey(KNOWN_SPACE, atAddress(key, address)),
                '1',
                'EX',
                KNOWN_ADDRESS_SECONDS,
              ),
            ];
      await Promise.all([...known, ...keys.map((each) => client.del(redisKey(SPACE, each)))]);
    });
  }

  /** What attempts at `account` from `address` count under. */
  async #keyOf(account: string, address: string | undefined): Promise<string> {
    if (address === undefined) return account;
    const own = atAddress(account, address);
    const stored = await this.#ask((redisKey, client) => client.get(redisKey(KNOWN_SPACE, own)));
    const isKnown = stored === undefined ? this.#known.get(own) === true : stored !== null;
    return isKnown ? own : account;
  }

  /** What Redis says; `undefined` when it is absent, or fails, which is reported. */
  async #ask<Reply>(
    command: (redisKey: RedisKeyFormat, client: ScriptClient) => Promise<Reply> | undefined,
  ): Promise<Reply | undefined> {
    const state = this.#state;
    if (state === undefined || !state.health.isUp) return undefined;
    try {
      return await command(state.keyFormat, state.client);
    } catch (error) {
      state.health.failed(error);
      return undefined;
    }
  }

  async #take(key: string): Promise<RateLimitOutcome & { readonly isShared: boolean }> {
    const outcome = await this.#ask(async (redisKey) => {
      const reply = await this.#scripts?.take.run(
        redisKey(SPACE, key),
        this.#algorithm.scriptArguments,
      );
      return parseOutcome(reply);
    });
    return outcome === undefined
      ? { ...this.#takeHere(key), isShared: false }
      : { ...outcome, isShared: true };
  }

  #takeHere(key: string): RateLimitOutcome {
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = this.#algorithm.createMeter();
      this.#meters.set(key, meter);
    }
    return meter.take(Math.floor(this.#clock()));
  }
}

/** No email address has a blank. */
const atAddress = (account: string, address: string) => `${account} ${address}`;
