import type { StageSize } from '../../config/size.ts';
import type { WorkerDefinition } from '../../config/workers.ts';
import type { FigureBook } from '../data/figures.ts';
import { rounded } from '../data/rounded.ts';
import type { PlannedLoad } from '../load/load.ts';
import { messagesPerSecond } from '../load/worker-load.ts';

/** The range that Lambda's SQS event source takes. */
const LEAST_CONCURRENCY = 2;
const MOST_CONCURRENCY = 1_000;
/** Invocations beyond those that the peak needs on average, to catch up after a stop. */
const CATCH_UP_FACTOR = 2;

/** How many invocations of each worker may run at once. */
export function sizeWorkers(
  book: FigureBook,
  load: PlannedLoad,
  workers: readonly WorkerDefinition[],
): StageSize['workerConcurrency'] {
  return Object.fromEntries(
    workers.map((worker) => {
      const { name, demand, maximumConcurrency } = worker;
      const figure = `workerConcurrency.${name}` as const;
      if (demand === undefined) {
        return [name, book.decide(figure, maximumConcurrency, 'as lib/config/workers.ts says')];
      }
      const messages = messagesPerSecond(worker, load.event);
      const computed = Math.ceil(messages * demand.secondsPerMessage * CATCH_UP_FACTOR);
      const concurrency = Math.min(MOST_CONCURRENCY, Math.max(LEAST_CONCURRENCY, computed));
      const why = `${rounded(messages)} messages/s at the highest peak × ${demand.secondsPerMessage} s × ${CATCH_UP_FACTOR} to catch up, from ${LEAST_CONCURRENCY} to ${MOST_CONCURRENCY}`;
      return [name, book.decide(figure, concurrency, why)];
    }),
  );
}

/** The workers as a stage runs them. */
export function workersOf(
  { workerConcurrency }: StageSize,
  workers: readonly WorkerDefinition[],
): readonly WorkerDefinition[] {
  return workers.map((worker) => ({
    ...worker,
    maximumConcurrency: workerConcurrency[worker.name] ?? worker.maximumConcurrency,
  }));
}
