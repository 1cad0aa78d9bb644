import { EnvironmentError } from '../../services/contracts/environment/environment-error.ts';
import { loggedMessage } from '../../services/contracts/observability/logged-error.ts';

/**
 * What a handler may throw in place of `error`: Lambda's runtime logs an error whole, with all of its properties, where drivers keep parameters, rows and URLs.
 *
 * @param what - what failed, as a sentence.
 * @returns an {@link EnvironmentError} as it is, because its text is made to be shown; of all else a new error that says what went wrong, without values.
 */
export function thrownError(what: string, error: unknown): Error {
  if (error instanceof EnvironmentError) return error;
  return new Error(`${what} ${loggedMessage(error)}`);
}
