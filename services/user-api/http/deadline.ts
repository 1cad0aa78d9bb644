import type { ApiRequest } from './environment.ts';
import type { Operation } from './operations.ts';
import { Problem } from './problem.ts';

/** Seconds after which to try again what took too long. */
const RETRY_AFTER_SECONDS = 2;

/** What a request that took too long is answered with. */
export function tooLate(incoming: ApiRequest, milliseconds: number): Problem {
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
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(tooLate(context.env.incoming, milliseconds)),
          milliseconds,
        );
        const settle = (act: () => void) => {
          clearTimeout(timer);
          act();
        };
        answer.then(
          (response) => settle(() => resolve(response)),
          (error: unknown) => settle(() => reject(error)),
        );
      });
    },
  }));
}
