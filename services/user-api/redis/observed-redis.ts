import { Cluster, type ClusterNode, type Command, Redis } from 'ioredis';
import { errorType } from '../../contracts/tracing/span.ts';
import { currentSpan, outsideTrace } from '../../contracts/tracing/trace-context.ts';
import { RedisCommandCounts } from '../observability/metrics/counters.ts';

const MILLISECONDS_PER_SECOND = 1_000;

/**
 * A client whose commands are counted and, inside a recorded span, are spans. By the one method that all commands go through, not by
 * ioredis' diagnostics channel: that one is of the whole process, hands over all arguments, and costs as much.
 * Keys and values are left out: they may be of persons.
 *
 * What is asked for in one tick of the event loop is sent in one write, when all events at hand have been handled: a write of its own for each
 * command is the most expensive part of it. (`enableAutoPipelining` does so too, and takes longer to make its pipelines than the writes take.)
 */
export class ObservedRedis extends Redis {
  readonly metrics = new RedisCommandCounts();

  /** The connection that keeps commands back until they are sent; null while there are none. */
  #keeping: Redis['stream'] | null = null;
  /** Whether commands will be sent at the end of this tick. */
  #isDue = false;
  #lastSender: (() => void)[] = [];

  override sendCommand(...parameters: Parameters<Redis['sendCommand']>): unknown {
    observe(parameters[0], this.metrics);
    if (this.#keeping === null && this.status === 'ready') {
      this.#keeping = this.stream;
      this.stream.cork();
      this.#sendAtEndOfTick();
    }
    return super.sendCommand(...parameters);
  }

  /** Calls `ask` when all events at hand have been handled, and just before commands are sent: the commands that it asks for go with them. */
  beforeSending(ask: () => void): void {
    this.#lastSender.push(ask);
    this.#sendAtEndOfTick();
  }

  #send(): void {
    if (this.#lastSender.length > 0) {
      const lastSender = this.#lastSender;
      this.#lastSender = [];
      for (const ask of lastSender) ask();
    }
    this.#keeping?.uncork();
    this.#keeping = null;
  }

  #sendAtEndOfTick(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    outsideTrace(() =>
      setImmediate(() => {
        this.#send();
        this.#isDue = false;
      }),
    );
  }
}

/** Whether a client sends the commands of a tick together: that of one server, not of a cluster. */
export function sendsAtEndOfTick(client: Redis | Cluster): client is ObservedRedis {
  return !client.isCluster && 'beforeSending' in client;
}

/** The same for a Redis Cluster: a command counts once, however many nodes it was sent to. */
export class ObservedCluster extends Cluster {
  readonly metrics = new RedisCommandCounts();
  readonly #commandTimeoutMilliseconds: number;

  /** @param commandTimeoutMilliseconds - for a command with all that it takes to find its node; the option of that name counts for one node alone. */
  constructor(
    startupNodes: ClusterNode[],
    options: ConstructorParameters<typeof Cluster<'legacy'>>[1],
    commandTimeoutMilliseconds: number,
  ) {
    super(startupNodes, options);
    this.#commandTimeoutMilliseconds = commandTimeoutMilliseconds;
  }

  override sendCommand(...parameters: Parameters<Cluster['sendCommand']>): unknown {
    const [command] = parameters;
    command.setTimeout(this.#commandTimeoutMilliseconds);
    observe(command, this.metrics);
    return super.sendCommand(...parameters);
  }
}

function observe(command: Command, metrics: RedisCommandCounts): void {
  const { name } = command;
  const span = currentSpan()?.child(name.toUpperCase(), {
    kind: 'client',
    attributes: { 'db.system.name': 'redis', 'db.operation.name': name.toUpperCase() },
  });
  const startedAt = performance.now();
  command.promise.then(
    () => {
      metrics.record(name, secondsSince(startedAt), false);
      span?.end();
    },
    (error: unknown) => {
      metrics.record(name, secondsSince(startedAt), true);
      span?.fail(errorType(error));
      span?.end();
    },
  );
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / MILLISECONDS_PER_SECOND;
}
