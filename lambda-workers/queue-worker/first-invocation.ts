import { thrownError } from '../observability/logger.ts';
import type { QueueWorker } from './queue-worker.ts';

/**
 * A handler that creates its worker when an execution environment is first invoked, and uses it for the next invocations. When that fails, the next
 * invocation tries again.
 *
 * @param name - of the worker, at the beginning of a sentence.
 * @returns a handler that throws `EnvironmentError` naming every invalid variable, or an error that says why the worker could not be started, without values.
 */
export function createdAtFirstInvocation(
  name: string,
  create: () => Promise<QueueWorker>,
): QueueWorker {
  let worker: Promise<QueueWorker> | undefined;
  async function tryToCreate(): Promise<QueueWorker> {
    try {
      return await create();
    } catch (error) {
      worker = undefined;
      throw thrownError(`${name} could not be started.`, error);
    }
  }
  return async (event, context) => {
    worker ??= tryToCreate();
    return await (await worker)(event, context);
  };
}
