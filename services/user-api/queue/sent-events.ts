import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import type { Logger } from '../observability/logger.ts';
import type { Outbox } from './outbox.ts';

/**
 * How long events that have been sent wait for others to be removed with, in milliseconds: a statement for each batch of ten would cost as much as
 * some of the users whom the events are of. Much shorter than the time after which a relay sends anew what is still there.
 */
const LINGER_MILLISECONDS = 100;

/** Events that the queue has, on their way out of the outbox. */
export class SentEvents {
  readonly #outbox: Pick<Outbox, 'remove'>;
  readonly #logger: Logger;
  #ids: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(outbox: Pick<Outbox, 'remove'>, logger: Logger) {
    this.#outbox = outbox;
    this.#logger = logger;
  }

  /** Has the events removed in a moment. */
  add(ids: readonly string[]): void {
    this.#ids.push(...ids);
    this.#timer ??= outsideTrace(() => setTimeout(() => void this.remove(), LINGER_MILLISECONDS));
  }

  /** Removes at once what waits. Never throws: what stays in the outbox is sent again. */
  async remove(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = this.#ids;
    this.#ids = [];
    await this.#outbox.remove(ids).catch((error: unknown) => {
      this.#logger.warn({ error }, 'Sent events stay in the outbox, and will be sent again');
    });
  }
}
