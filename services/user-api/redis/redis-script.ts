import { hash } from 'node:crypto';

/** A script in Lua. */
export interface ScriptSource {
  /** Told apart in errors by this. */
  readonly name: string;
  /**
   * Lua that finds the time in the local variable `now` (whole milliseconds since 1970), its key in `KEYS[1]` and its arguments in
   * `ARGV`, and returns integers only.
   */
  readonly body: string;
}

/**
 * What of a Redis client is used here; ioredis's `Redis` and `Cluster` are such. It must give every command a deadline and refuse commands
 * while it is not connected (ioredis: `commandTimeout`, and `enableOfflineQueue: false`): that deadline is what bounds the
 * time until this process decides alone.
 */
export interface ScriptClient {
  evalsha(
    sha1: string,
    keyCount: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<unknown>;
  eval(
    script: string,
    keyCount: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<unknown>;
  script(subcommand: 'LOAD', script: string): Promise<unknown>;
  del(key: string): Promise<unknown>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string, mode: 'EX', seconds: number): Promise<unknown>;
}

/**
 * Redis's own clock, so that all processes count by one: with each its own, a process whose clock is ahead would end windows early for
 * all. Scripts may read the time and write since Redis 5 (https://redis.io/docs/latest/develop/programmability/eval-intro/,
 * "Script replication"), as their effects are replicated, not their text.
 */
const SERVER_CLOCK = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

/** The caller's clock: the time is the last argument. */
const CALLER_CLOCK = `
local now = tonumber(ARGV[#ARGV])
`;

/**
 * Error of Redis itself, in reply to a command; not one of the connection. ioredis names them so, and they come at once:
 * Redis is there.
 */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** One script, run by its digest: one round trip, and a second one only where the server does not know the script yet. */
export class RedisScript {
  readonly #client: ScriptClient;
  readonly #source: string;
  readonly #sha1: string;
  readonly #clock: (() => number) | undefined;

  /** @param clock whole milliseconds, to replay a timeline. @default the clock of the server */
  constructor(client: ScriptClient, script: ScriptSource, clock?: () => number) {
    this.#client = client;
    this.#source = `${clock === undefined ? SERVER_CLOCK : CALLER_CLOCK}${script.body}`;
    this.#sha1 = hash('sha1', this.#source);
    this.#clock = clock;
  }

  /** Runs the script on one key. Rejects as the client's commands do. */
  async run(key: string, scriptArguments: readonly number[]): Promise<unknown> {
    const parameters: (string | number)[] = [key, ...scriptArguments];
    if (this.#clock !== undefined) parameters.push(this.#clock());
    try {
      return await this.#client.evalsha(this.#sha1, 1, ...parameters);
    } catch (error) {
      if (!isReplyError(error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await this.#client.eval(this.#source, 1, ...parameters);
    }
  }

  /** Makes the script known to the server (to one node of a cluster). */
  async load(): Promise<void> {
    await this.#client.script('LOAD', this.#source);
  }
}
