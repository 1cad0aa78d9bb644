import type { ProblemDetails } from '../../contracts/problem.ts';
import type { ProblemSlug } from '../http/problem-types.ts';

/** A problem that the API has answered with. New types may come, so that `slug` can be one that this client does not know. */
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

  /** Whether it is this problem. */
  is(slug: ProblemSlug): boolean {
    return this.slug === slug;
  }
}

/** No response came: the network, or no response in time, in all attempts. A change may have been made. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

/** A response that is not the API's: most likely of a proxy in front of it. */
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
