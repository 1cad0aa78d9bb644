import { type Command, Redis } from 'ioredis';
import { errorType } from '../../../contracts/tracing/error-type.ts';
import type { Span } from '../../../contracts/tracing/span.ts';
import { currentSpan } from '../../../contracts/tracing/trace-context.ts';
import { RedisCommandCounts } from '../metrics/redis-command-counts.ts';

const MILLISECONDS_PER_SECOND = 1_000;

/**
 * A client whose commands are counted and, inside a recorded span, are spans. By the one method that all commands go through, not by
 * ioredis' diagnostics channel: that one is of the whole process, hands over all arguments, and costs as much.
 * Keys and values are left out: they may be of persons.
 */
export class ObservedRedis extends Redis {
  readonly metrics = new RedisCommandCounts();

  override sendCommand(...[command, ...rest]: Parameters<Redis['sendCommand']>): unknown {
    const span = currentSpan()?.child(command.name.toUpperCase(), {
      kind: 'client',
      attributes: { 'db.system.name': 'redis', 'db.operation.name': command.name.toUpperCase() },
    });
    const startedAt = performance.now();
    const sent = super.sendCommand(command, ...rest);
    command.promise.then(
      () => this.#answered(command, startedAt, span),
      (error: unknown) => this.#failed(command, startedAt, span, error),
    );
    return sent;
  }

  #answered({ name }: Command, startedAt: number, span: Span | undefined): void {
    this.metrics.record(name, secondsSince(startedAt), false);
    span?.end();
  }

  #failed({ name }: Command, startedAt: number, span: Span | undefined, error: unknown): void {
    this.metrics.record(name, secondsSince(startedAt), true);
    span?.fail(errorType(error));
    span?.end();
  }
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / MILLISECONDS_PER_SECOND;
}
