/**
 * Runs `work` for a limited time. Unlike `AbortSignal.timeout`, the timer ends with the work.
 *
 * @param work - its signal is aborted with the error at the deadline; what ignores the signal goes on, unobserved.
 * @throws what the work throws; `createError()` at the deadline.
 */
export async function withDeadline<Result>(
  milliseconds: number,
  createError: () => Error,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = createError();
    reject(error);
    controller.abort(error);
  }, milliseconds);
  try {
    return await Promise.race([work(controller.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}
