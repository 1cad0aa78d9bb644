import type { ProblemDetails } from '../../contracts/problem.ts';
import type { ProblemSlug } from '../http/problem-types.ts';

/** A problem response. `slug` may be newer than this client. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly details: ProblemDetails;
  readonly headers: Headers;

  constructor(details: ProblemDetails, headers: Headers) {
    super(`${details.status} ${details.title}: ${details.detail}`);
    this.details = details;
    this.headers = headers;
  }

  get status(): number {
    return this.details.status;
  }

  /** The last part of the problem's type, such as `email-taken`. */
  get slug(): string {
    return this.details.type.replace('/problems/', '');
  }

  is(slug: ProblemSlug): boolean {
    return this.slug === slug;
  }
}

/** No response in time in any attempt. A change may have been applied. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

/** A response that is not the API's, probably of a proxy. */
export class UnexpectedResponse extends Error {
  override readonly name = 'UnexpectedResponse';
  readonly status: number;

  constructor(status: number, mediaType: string | null) {
    super(
      `The response is ${status} ${mediaType ?? 'without a type'}, which the API does not send.`,
    );
    this.status = status;
  }
}
