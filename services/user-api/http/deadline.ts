import type { ApiBindings } from './environment.ts';
import type { Operation } from './operations.ts';
import { Problem } from './problem.ts';

/** Seconds after which to try again what took too long. */
const RETRY_AFTER_SECONDS = 2;
/**
 * How long after the deadline the outcome of a change is waited for, in milliseconds: the server has been asked to end the statement, and takes a
 * round trip for that.
 */
const OUTCOME_WAIT_MILLISECONDS = 500;

type BoundedRequest = Pick<ApiBindings, 'changes' | 'incoming'>;

/** What a request that took too long is answered with. */
function tooLate({ changes, incoming }: BoundedRequest, milliseconds: number): Problem {
  const limit = `${milliseconds} ms`;
  if (!incoming.complete) {
    return new Problem('request-timeout', `The body did not arrive within ${limit}.`, {
      // What is left of the body would have to be read to use the connection again.
      headers: { connection: 'close' },
    });
  }
  const options = { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
  return changes?.mayHaveChanged === true
    ? new Problem('outcome-unknown', `The request was not done within ${limit}.`, options)
    : new Problem('deadline-exceeded', `The request was not done within ${limit}.`, options);
}

/**
 * What `work` comes to, or a problem when that takes too long. The request's changes end with the deadline: what was not sent is never sent, and what was
 * sent is cancelled; its outcome is waited for, half a second at most.
 */
export function withinDeadline<Result>(
  request: BoundedRequest,
  work: Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const refuse = () => reject(tooLate(request, milliseconds));
    let isLate = false;
    let timer = setTimeout(() => {
      const { changes } = request;
      isLate = true;
      changes?.end();
      if (changes?.mayHaveChanged === true) timer = setTimeout(refuse, OUTCOME_WAIT_MILLISECONDS);
      else refuse();
    }, milliseconds);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    work.then(
      (result) => settle(() => resolve(result)),
      // What was cancelled failed because of the deadline.
      (error: unknown) => settle(isLate ? refuse : () => reject(error)),
    );
  });
}

/**
 * Bounds how long each of the operations may take, as {@link withinDeadline} does. What answers without a promise is not bounded, and costs nothing
 * more.
 */
export function withDeadline(operations: readonly Operation[], milliseconds: number): Operation[] {
  return operations.map(({ handler, route }) => ({
    route,
    handler: (context) => {
      const { changes } = context.env;
      const response = changes?.run(() => handler(context)) ?? handler(context);
      if (!(response instanceof Promise)) return response;
      return withinDeadline(context.env, response, milliseconds);
    },
  }));
}
