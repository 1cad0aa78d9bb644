import type { ErrorHandler, NotFoundHandler } from 'hono';
import { ScopeEnded } from '../../contracts/changes/change-scope.ts';
import { AccessError, UserNotFound } from '../auth/errors.ts';
import { ReadsShed } from '../cache/load-limit.ts';
import { DatabaseBusy, DatabaseUnavailable } from '../database/errors.ts';
import { RequestAborted } from '../http/body.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import { entityTag } from '../http/preconditions.ts';
import { Problem } from '../http/problem.ts';
import type { ProblemSlug } from '../http/problem-types.ts';
import type { Logger } from '../observability/logger.ts';
import { RateLimitExceeded } from '../rate-limit/rate-limit-exceeded.ts';
import {
  EmailTaken,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  IdempotentResponseErased,
  VersionMismatch,
} from '../users/errors.ts';

/** Seconds after which to try again: about as long as new connections take, and not the same for every client. */
const RETRY_AFTER_MINIMUM_SECONDS = 1;
const RETRY_AFTER_SPREAD_SECONDS = 3;

/** What is refused before it is begun comes in crowds; the access log has each. */
const REFUSED_EARLY: ReadonlySet<string> = new Set(['overloaded', 'password-hashing-busy']);

function retryAfter(): string {
  const spread = Math.floor(Math.random() * RETRY_AFTER_SPREAD_SECONDS);
  return String(RETRY_AFTER_MINIMUM_SECONDS + spread);
}

/** Problems that say that nothing was changed, and that the same may succeed later. */
const NOT_APPLIED: ReadonlySet<string> = new Set<ProblemSlug>([
  'database-unavailable',
  'deadline-exceeded',
  'overloaded',
  'password-hashing-busy',
  'sessions-unavailable',
]);

function outcomeUnknown(cause: unknown): Problem {
  return new Problem('outcome-unknown', 'The response of the database was lost.', {
    headers: { 'retry-after': retryAfter() },
    cause,
  });
}

/** The problem that an error is answered with: the one place where errors of services become statuses. */
function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof AccessError) {
    return new Problem(error.slug, error.message, { headers: error.headers, cause: error });
  }
  if (error instanceof RateLimitExceeded) {
    return new Problem('rate-limit-exceeded', error.message, { headers: { ...error.headers } });
  }
  if (error instanceof UserNotFound) {
    return new Problem('user-not-found', 'There is no user with this id.');
  }
  if (error instanceof EmailTaken) {
    return new Problem('email-taken', 'Another user has this email address.', {
      errors: [{ pointer: '/email', detail: 'is taken by another user' }],
    });
  }
  if (error instanceof VersionMismatch) {
    const { currentVersion } = error;
    return new Problem(
      'precondition-failed',
      `The preconditions do not allow the version that the user has now, which is ${entityTag(currentVersion)}.`,
      { currentVersion, headers: { etag: entityTag(currentVersion) } },
    );
  }
  if (error instanceof IdempotencyKeyInUse) {
    return new Problem(
      'idempotency-key-in-use',
      'Another request with this Idempotency-Key is being done.',
      { headers: { 'retry-after': retryAfter() } },
    );
  }
  if (error instanceof IdempotencyKeyReused) {
    return new Problem(
      'idempotency-key-reused',
      'This Idempotency-Key was sent with another body before.',
    );
  }
  if (error instanceof IdempotentResponseErased) {
    return new Problem(
      'idempotent-answer-erased',
      'The user whom this Idempotency-Key has created was deleted.',
    );
  }
  if (error instanceof ReadsShed || error instanceof DatabaseBusy) {
    return new Problem('overloaded', 'Too many requests wait for the database.', {
      headers: { 'retry-after': retryAfter() },
      cause: error,
    });
  }
  if (error instanceof ScopeEnded) {
    return new Problem('deadline-exceeded', 'The request was not done in time.', {
      headers: { 'retry-after': retryAfter() },
      cause: error,
    });
  }
  if (error instanceof DatabaseUnavailable) {
    if (error.outcome === 'unknown') return outcomeUnknown(error);
    return new Problem('database-unavailable', 'The database did not answer in time.', {
      headers: { 'retry-after': retryAfter() },
      cause: error,
    });
  }
  return new Problem('internal-error', 'The request could not be done.', { cause: error });
}

/** Answers errors with problem details; those that are ours go to the log. */
export function createErrorHandler(logger: Logger): ErrorHandler<ApiEnvironment> {
  return (error, context) => {
    const { requestId, route } = context.env.incoming;
    // Nobody receives this; the status is for the access log, where it is known as 'client closed request'.
    if (error instanceof RequestAborted) return new Response(null, { status: 499 });
    const { changes } = context.env.incoming;
    let problem = toProblem(error);
    // A later step failed, but an earlier one may have changed something.
    if (changes?.mayHaveChanged === true && NOT_APPLIED.has(problem.slug)) {
      problem = outcomeUnknown(error);
    }
    context.env.incoming.problem = problem.slug;
    if (problem.status >= 500 && !REFUSED_EARLY.has(problem.slug)) {
      const level = problem.slug === 'internal-error' ? 'error' : 'warn';
      logger[level]({ requestId, route, error }, 'The request failed');
    }
    return problem.toResponse(requestId);
  };
}

/** Answers where nothing is served. */
export const handleNotFound: NotFoundHandler<ApiEnvironment> = ({ env: { incoming } }) => {
  const problem = new Problem('route-not-found', 'Nothing is served at this path.');
  incoming.problem = problem.slug;
  return problem.toResponse(incoming.requestId);
};
