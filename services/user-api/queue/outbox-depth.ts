import type { DatabaseRouter } from '../database/router.ts';
import { outboxStatements } from './outbox-statements.ts';

/** How much waits in the outbox, of all processes together. */
export interface Depth {
  /** Counted up to {@link COUNTED_MAXIMUM}. */
  readonly events: number;
  /** How long the event that waits longest is overdue, in seconds; 0 when none is. */
  readonly overdueSeconds: number;
}

/** Counting costs as much as there is to count, and above this only the fact matters. */
const COUNTED_MAXIMUM = 10_000;
/** How long an answer is good for: many processes ask, each for two metrics. */
const KEPT_MILLISECONDS = 10_000;

/** Looks into the outbox for whoever asks for metrics, now and then, on a reader. */
export class OutboxDepth {
  readonly #router: Pick<DatabaseRouter, 'read'>;
  #latest: Promise<Depth | null> | undefined;
  #askedAt = 0;

  constructor(router: Pick<DatabaseRouter, 'read'>) {
    this.#router = router;
  }

  /** @returns null while no database answers. */
  read(): Promise<Depth | null> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#askedAt > KEPT_MILLISECONDS) {
      this.#askedAt = now;
      this.#latest = this.#ask().catch(() => null);
    }
    return this.#latest;
  }

  async #ask(): Promise<Depth> {
    const [row] = await this.#router.read((database) =>
      outboxStatements(database).depth.execute({ maximum: COUNTED_MAXIMUM }),
    );
    return { events: row?.events ?? 0, overdueSeconds: Math.max(0, row?.overdueSeconds ?? 0) };
  }
}
