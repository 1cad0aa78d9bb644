import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { decodeInvalidation } from '../../../../../services/user-api/cache/invalidation-feed.ts';
import type { DatabaseRouter } from '../../../../../services/user-api/database/router.ts';
import type { Logger } from '../../../../../services/user-api/observability/logger.ts';
import { createRedis, createSubscriber } from '../../../../../services/user-api/redis/redis.ts';
import { IdempotencyStore } from '../../../../../services/user-api/users/idempotency-store.ts';
import { UserRepository } from '../../../../../services/user-api/users/repository.ts';
import { createUserCaching } from '../../../../../services/user-api/users/user-caching.ts';
import { Users } from '../../../../../services/user-api/users/users.ts';
import { Gates } from './gates.ts';

export interface TestedProcessOptions {
  readonly name: string;
  readonly redisUrl: string;
  readonly router: DatabaseRouter;
  readonly logger: Logger;
  readonly clock: () => number;
  /** @default 5,000 */
  readonly commandTimeoutMilliseconds?: number;
}

/** Small, so that one large entry evicts all others. */
const NEAR_CACHE_BYTES = 16_384;
const EVICTING_ID = Number.MAX_SAFE_INTEGER;
const READY_TIMEOUT_MILLISECONDS = 5_000;
/** A thousand times what a word takes. */
const MESSAGE_TIMEOUT_MILLISECONDS = 2_000;

type Message = readonly [channel: string, message: string];

/**
 * What a process of the user API has between its handlers and the servers, as production puts it together, on real connections; with gates on
 * them, and invalidation messages that can be held up and lost.
 */
export class TestedProcess {
  readonly name: string;
  readonly gates = new Gates();
  readonly users: Users;
  readonly caching: ReturnType<typeof createUserCaching>;
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #heldMessages: Message[] = [];
  #deliver: (...message: Message) => void = () => {};
  #fate: 'pass' | 'hold' | 'lose' = 'pass';
  #hasLostMessages = false;
  #updatesInFlight = 0;
  #remembers = true;
  #isSubscribed = false;
  #subscribedSince = 0;
  /** The newest version of each user that it was notified of. */
  readonly #known = new Map<number, number>();

  constructor(options: TestedProcessOptions) {
    const { clock, logger, name, redisUrl, router } = options;
    this.name = name;
    const settings = {
      url: redisUrl,
      username: undefined,
      password: undefined,
      commandTimeoutMilliseconds: options.commandTimeoutMilliseconds ?? 5_000,
    };
    this.#commands = createRedis(settings, logger);
    this.#subscriber = createSubscriber(settings);
    const repository = this.#gatedRepository(new UserRepository(router));
    this.caching = createUserCaching({
      repository,
      readersMayLag: true,
      redis: {
        commands: this.#gatedCommands(this.#commands),
        subscriber: this.#filteredSubscriber(this.#subscriber),
      },
      nearCacheBytes: NEAR_CACHE_BYTES,
      databaseReadsMaximum: 100,
      logger,
      clock,
    });
    this.users = new Users({
      repository,
      caching: this.caching,
      idempotencyStore: new IdempotencyStore(router, randomBytes(32)),
      passwords: { hashNew: () => Promise.reject(new Error('No user here has a password')) },
      sessionRevoker: { forgetSessions: () => Promise.resolve() },
      dispatch: () => {},
    });
  }

  get isOpen(): boolean {
    return this.caching.near.isOpen;
  }

  /** Whether Redis has confirmed that it is subscribed. */
  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  /** Since when words reach it, in milliseconds of `performance.now()`. */
  get subscribedSince(): number {
    return this.#subscribedSince;
  }

  /** Whether words are on their way to it, or were lost on it unnoticed. */
  get lacksInvalidations(): boolean {
    return this.#hasLostMessages || this.#heldMessages.length > 0;
  }

  async start(): Promise<void> {
    this.caching.start();
    await until(() => this.isOpen && this.#commands.status === 'ready');
  }

  close(): void {
    this.caching.close();
    this.#commands.disconnect();
  }

  notifiedOf(id: number): number {
    return this.#known.get(id) ?? 0;
  }

  /** Whether it has not forgotten since what it was notified of. */
  get remembers(): boolean {
    return this.#remembers;
  }

  holdMessages(): void {
    if (this.#fate === 'pass') this.#fate = 'hold';
  }

  loseMessages(): void {
    this.#fate = 'lose';
    if (this.#heldMessages.splice(0).length > 0) this.#hasLostMessages = true;
  }

  /** Lets all come through, and what was held up. What is lost stays so. */
  passMessages(): void {
    this.#fate = 'pass';
    for (const message of this.#heldMessages.splice(0)) this.#deliver(...message);
  }

  /**
   * Whether it is notified of a version, or words don't reach it as they should. Waits for that for a while.
   *
   * @param since - when the write began, in milliseconds of `performance.now()`.
   */
  async isNotifiedOf(id: number, version: number, since: number): Promise<boolean> {
    const isDeaf = () => !this.isSubscribed || this.#subscribedSince > since;
    const excused = () => this.#fate !== 'pass' || this.lacksInvalidations || isDeaf();
    const known = () => excused() || this.notifiedOf(id) >= version;
    return await becomesTrue(known, MESSAGE_TIMEOUT_MILLISECONDS);
  }

  async loseSubscription(): Promise<void> {
    if (this.#subscriber.status === 'end') return;
    this.#subscriber.disconnect();
    this.#connectionLost();
    await until(() => this.#subscriber.status === 'end');
  }

  async subscribeAgain(): Promise<void> {
    if (this.#subscriber.status === 'end') await this.#subscriber.connect();
  }

  /** Until it is open, or its subscription has been lost again. */
  async untilOpen(): Promise<void> {
    await until(() => this.isOpen || this.#subscriber.status === 'end');
  }

  /** To be called before its connections are cut; waits until it has them again. */
  async recovery(): Promise<void> {
    const hadSubscriber = this.#subscriber.status === 'ready';
    await Promise.all([
      new Promise((resolve) => this.#commands.once('close', resolve)),
      hadSubscriber && new Promise((resolve) => this.#subscriber.once('close', resolve)),
    ]);
    this.#connectionLost();
    await until(() => this.#commands.status === 'ready');
    if (hadSubscriber) await until(() => this.isOpen);
  }

  /** Until Redis has what reads have loaded, for which they do not wait, and this process has its response; but for what is held up. */
  async untilQuiet(): Promise<void> {
    const { gates } = this;
    const held = () => gates.countHeldAt('update sent') + gates.countHeldAt('update replied');
    // What has just been loaded is batched until this turn ends.
    await nextTick();
    while (this.#updatesInFlight > held()) await nextTick();
    // What follows on the response takes no more than this turn.
    await nextTick();
  }

  evict(): void {
    const body = Buffer.alloc(NEAR_CACHE_BYTES * 0.8);
    this.caching.near.fill(EVICTING_ID, { version: 1, body }, this.caching.near.ticket());
  }

  /** Notifies it of so many other writes that it forgets the known versions. */
  forgetKnownVersions(): void {
    const { near } = this.caching;
    const before = near.ticket().forgotten;
    this.#remembers = false;
    for (let id = EVICTING_ID - 1; near.ticket().forgotten < before + 2; id -= 1)
      near.record(id, 1);
  }

  /** What was on its way is lost, and that is noticed. */
  #connectionLost(): void {
    this.#heldMessages.length = 0;
    this.#hasLostMessages = false;
    this.#fate = 'pass';
  }

  #gatedRepository(repository: UserRepository): UserRepository {
    const { gates } = this;
    const find = repository.find.bind(repository);
    repository.find = async (...parameters) => {
      const found = await find(...parameters);
      await gates.pass('load returned');
      return found;
    };
    return repository;
  }

  #gatedCommands(redis: Redis): Redis {
    const { gates } = this;
    const setIfNewer = async (...parameters: Parameters<Redis['setEntriesIfNewerBuffer']>) => {
      await gates.pass('update sent');
      const reply = await redis.setEntriesIfNewerBuffer(...parameters);
      await gates.pass('update replied');
      return reply;
    };
    const gated = {
      async mgetBuffer(keys: string[]) {
        const replies = await redis.mgetBuffer(keys);
        await gates.pass('lookup replied');
        return replies;
      },
      setEntriesIfNewerBuffer: (...parameters: Parameters<Redis['setEntriesIfNewerBuffer']>) => {
        this.#updatesInFlight += 1;
        return setIfNewer(...parameters).finally(() => {
          this.#updatesInFlight -= 1;
        });
      },
    };
    return overlay(redis, gated);
  }

  #filteredSubscriber(redis: Redis): Redis {
    const { gates } = this;
    const setSubscribed = (isSubscribed: boolean) => {
      this.#isSubscribed = isSubscribed;
      this.#subscribedSince = performance.now();
    };
    redis.on('close', () => setSubscribed(false));
    const filtered = {
      async subscribe(...channels: string[]) {
        await gates.pass('subscribe sent');
        const count = await redis.subscribe(...channels);
        setSubscribed(redis.status === 'ready');
        return count;
      },
      on: (event: string, listener: (...parameters: unknown[]) => void) => {
        if (event !== 'message') return redis.on(event, listener);
        this.#deliver = (channel, message) => {
          const word = decodeInvalidation(message);
          if (word !== null) this.#remembers = true;
          if (word !== null)
            this.#known.set(word.id, Math.max(word.version, this.notifiedOf(word.id)));
          listener(channel, message);
        };
        return redis.on('message', (channel: string, message: string) => {
          if (this.#fate === 'pass' || channel.startsWith('heartbeat:')) {
            this.#deliver(channel, message);
          } else if (this.#fate === 'hold') this.#heldMessages.push([channel, message]);
          else this.#hasLostMessages = true;
        });
      },
    };
    return overlay(redis, filtered);
  }
}

/** `target` with some of its methods replaced. */
function overlay<Target extends object>(target: Target, methods: object): Target {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function becomesTrue(
  condition: () => boolean | Promise<boolean>,
  timeoutMilliseconds: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMilliseconds;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return true;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  if (await becomesTrue(condition, READY_TIMEOUT_MILLISECONDS)) return;
  throw new Error(`Waited in vain: ${condition}`);
}
