import type { ErrorHandler } from 'hono';
import { ScopeEnded } from '../../contracts/changes/change-scope.ts';
import { accessErrorRows } from '../auth/errors.ts';
import { ReadsShed } from '../cache/loads.ts';
import { DatabaseBusy, DatabaseUnavailable } from '../database/errors.ts';
import { RequestAborted } from '../http/body.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import { type ErrorRow, Problem, problemOf, retryAfter } from '../http/problem.ts';
import type { ProblemSlug } from '../http/problem-types.ts';
import type { Logger } from '../observability/logger.ts';
import { RateLimitExceeded } from '../rate-limit/decision.ts';
import { userErrorRows } from '../users/errors.ts';

/** What is refused before it is begun comes in crowds; the access log has each. */
const REFUSED_EARLY: ReadonlySet<string> = new Set(['overloaded', 'password-hashing-busy']);

/** Problems that say that nothing was changed, and that the same may succeed later. */
const NOT_APPLIED: ReadonlySet<string> = new Set<ProblemSlug>([
  'database-unavailable',
  'deadline-exceeded',
  'overloaded',
  'password-hashing-busy',
  'sessions-unavailable',
]);

function overloaded(cause: Error): Problem {
  const detail = 'Too many requests wait for the database.';
  return new Problem('overloaded', detail, { headers: retryAfter(), cause });
}

function outcomeUnknown(cause: Error): Problem {
  const detail = 'The response of the database was lost.';
  return new Problem('outcome-unknown', detail, { headers: retryAfter(), cause });
}

/** The table from error class to problem: the rows of the areas, and those of the technical parts, which know no problems. */
export const errorRows: readonly ErrorRow[] = [
  problemOf(Problem, (problem) => problem),
  ...accessErrorRows,
  ...userErrorRows,
  problemOf(RateLimitExceeded, ({ headers, message }) => {
    return new Problem('rate-limit-exceeded', message, { headers: { ...headers } });
  }),
  problemOf(ReadsShed, overloaded),
  problemOf(DatabaseBusy, overloaded),
  problemOf(DatabaseUnavailable, (cause) => {
    if (cause.outcome === 'unknown') return outcomeUnknown(cause);
    const detail = 'The database did not answer in time.';
    return new Problem('database-unavailable', detail, { headers: retryAfter(), cause });
  }),
  problemOf(ScopeEnded, (cause) => {
    const detail = 'The request was not done in time.';
    return new Problem('deadline-exceeded', detail, { headers: retryAfter(), cause });
  }),
];

const rowOf: ReadonlyMap<unknown, ErrorRow> = new Map(errorRows.map((row) => [row.type, row]));

/** The problem by the row of the error's class, or of the nearest class above it; an error without one is a defect of ours. */
function toProblem(error: Error): Problem {
  let type: unknown = error.constructor;
  while (typeof type === 'function') {
    const row = rowOf.get(type);
    if (row !== undefined) return row.toProblem(error);
    type = Object.getPrototypeOf(type);
  }
  return new Problem('internal-error', 'The request could not be done.', { cause: error });
}

/** The error path: responds with the problem of what was thrown on the full path; what is our fault goes to the log. */
export function createErrorHandler(logger: Logger): ErrorHandler<ApiEnvironment> {
  return (error, context) => {
    const { changes, incoming, record } = context.env;
    const { requestId } = incoming;
    // Nobody receives this; the status is for the access log, where it is known as 'client closed request'.
    if (error instanceof RequestAborted) return new Response(null, { status: 499 });
    let problem = toProblem(error);
    // A later step failed, but an earlier one may have changed something.
    if (changes?.mayHaveChanged === true && NOT_APPLIED.has(problem.slug)) {
      problem = outcomeUnknown(error);
    }
    record.problem = problem.slug;
    if (problem.status >= 500 && !REFUSED_EARLY.has(problem.slug)) {
      const level = problem.slug === 'internal-error' ? 'error' : 'warn';
      logger[level]({ requestId, route: record.route, error }, 'The request failed');
    }
    return problem.toResponse(requestId);
  };
}
