import { Redis } from 'ioredis';
import postgres from 'postgres';

export interface ServerUrls {
  readonly writerUrl: string;
  readonly readerUrl: string;
  /** The replica, as its superuser. */
  readonly replicaAdministratorUrl: string;
  readonly redisUrl: string;
}

/** Far longer than a run takes: the replica replays only what it is asked to catch up with. */
const LAG = '1h';
const POLL_MILLISECONDS = 1;

/** The servers behind the processes, and what can happen to them. */
export class Servers {
  readonly #primary: postgres.Sql;
  readonly #replica: postgres.Sql;
  readonly #redis: Redis;
  readonly #database: string;

  constructor({ redisUrl, replicaAdministratorUrl, writerUrl }: ServerUrls) {
    const options = { max: 1, onnotice: () => {} };
    this.#primary = postgres(writerUrl, options);
    this.#replica = postgres(replicaAdministratorUrl, options);
    this.#redis = new Redis(redisUrl, { connectionName: 'the test itself' });
    this.#database = new URL(writerUrl).pathname.slice(1);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    await this.#primary.end();
    await this.#replica.end();
  }

  /** Makes users, of version 1, which the replica has too before it begins to lag. @returns their ids. */
  async createUsers(count: number): Promise<number[]> {
    const rows = await this.#primary<{ id: number }[]>`
      insert into users (name, email)
      select 'Existing', 'existing.' || gen_random_uuid() || '@example.com'
      from generate_series(1, ${count}) returning id::int`;
    await this.catchUp();
    return rows.map(({ id }) => id);
  }

  /** The id that the next user gets. */
  async nextId(): Promise<number> {
    const [row] = await this.#primary<{ next: number }[]>`
      select (last_value + case when is_called then 1 else 0 end)::int as next from users_id_seq`;
    return row?.next ?? 0;
  }

  /** Whether there is such a user, on the primary. */
  async has(id: number): Promise<boolean> {
    return (await this.#primary`select from users where id = ${id}`).length > 0;
  }

  /** Lets the replica have all that there is, and then no more. */
  async catchUp(): Promise<void> {
    await this.#delay('0');
    const [row] = await this.#primary<{ lsn: string }[]>`select pg_current_wal_lsn()::text as lsn`;
    for (;;) {
      const [state] = await this.#replica<{ done: boolean }[]>`
        select pg_last_wal_replay_lsn() >= ${row?.lsn ?? ''}::pg_lsn as done`;
      if (state?.done === true) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
    await this.#delay(LAG);
  }

  async evict(id: number): Promise<void> {
    await this.#redis.del(`user:${id}`);
  }

  /** Lets the body in Redis be too old to be answered, as time would. */
  async age(id: number): Promise<void> {
    const entry = await this.#redis.getBuffer(`user:${id}`);
    if (entry === null) return;
    const aged = entry.toString('latin1').replace(/^(\S+ \S+) \d+/, '$1 1000000000000');
    await this.#redis.set(`user:${id}`, Buffer.from(aged, 'latin1'), 'KEEPTTL');
  }

  entry(id: number): Promise<Buffer | null> {
    return this.#redis.getBuffer(`user:${id}`);
  }

  /** Restarts Redis without what it had, or with an older entry, as a failover to a replica that was behind does. */
  async loseMemory(id: number, older: Buffer | null): Promise<void> {
    await this.#redis.del(`user:${id}`, `user:${id}:lease`);
    if (older !== null) await this.#redis.set(`user:${id}`, older, 'PX', 600_000);
    await this.#redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes');
    await this.#redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }

  async #delay(delay: string): Promise<void> {
    await this.#replica.unsafe(`alter system set recovery_min_apply_delay = '${delay}'`);
    await this.#replica`select pg_reload_conf()`;
    // The server passes it on to its processes a moment later, to all in one go.
    for (;;) {
      const [now] = await this.#replica<{ delay: string }[]>`
        select current_setting('recovery_min_apply_delay') as delay`;
      if (now?.delay === delay) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
  }

  get database(): string {
    return this.#database;
  }
}
