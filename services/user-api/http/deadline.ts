import type { ApiRequest } from './environment.ts';
import type { Operation } from './operations.ts';
import { Problem } from './problem.ts';

/** Seconds after which to try again what took too long. */
const RETRY_AFTER_SECONDS = 2;

/** What a request that took too long is answered with. */
function tooLate(incoming: ApiRequest, milliseconds: number): Problem {
  const limit = `${milliseconds} ms`;
  if (!incoming.complete) {
    return new Problem('request-timeout', `The body did not arrive within ${limit}.`, {
      // What is left of the body would have to be read to use the connection again.
      headers: { connection: 'close' },
    });
  }
  return new Problem('deadline-exceeded', `The request was not done within ${limit}.`, {
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

/** What `work` comes to, or a problem when that takes too long; the work goes on to its own end. */
export function withinDeadline<Result>(
  incoming: ApiRequest,
  work: Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate(incoming, milliseconds)), milliseconds);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    work.then(
      (result) => settle(() => resolve(result)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

/**
 * Bounds how long each of the operations may take: then the client is answered, while what was begun goes on to its own end. What answers
 * without a promise is not bounded, and costs nothing more.
 */
export function withDeadline(operations: readonly Operation[], milliseconds: number): Operation[] {
  return operations.map(({ handler, route }) => ({
    route,
    handler: (context) => {
      const answer = handler(context);
      if (!(answer instanceof Promise)) return answer;
      return withinDeadline(context.env.incoming, answer, milliseconds);
    },
  }));
}
