import type { ProblemDetails, ProblemError } from '../../contracts/problem.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { ProblemType } from './problem-type.ts';
import { type ProblemSlug, problemTypes } from './problem-types.ts';

export interface ProblemOptions extends ErrorOptions {
  /** Every field or parameter at fault. @default left out */
  readonly errors?: readonly ProblemError[];
  /** Headers that go with the response, such as Allow. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** The version that the user has now. @default left out */
  readonly currentVersion?: number;
}

/** An error that is known to be answered with this problem. Its message is the `detail`: it is shown to the client. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly slug: ProblemSlug;
  readonly #options: ProblemOptions;

  constructor(slug: ProblemSlug, detail: string, options: ProblemOptions = {}) {
    super(detail, options);
    this.slug = slug;
    this.#options = options;
  }

  get status(): number {
    return problemTypes[this.slug].status;
  }

  get headers(): Readonly<Record<string, string>> {
    return {
      'content-type': 'application/problem+json',
      // An error is about this moment; nobody may keep it.
      'cache-control': cacheControl.moment,
      ...this.#options.headers,
    };
  }

  /** The body of the response. */
  details(requestId: string | undefined): ProblemDetails {
    const type: ProblemType = problemTypes[this.slug];
    const { errors, currentVersion } = this.#options;
    return {
      type: `/problems/${this.slug}`,
      title: type.title,
      status: type.status,
      detail: this.message,
      ...(requestId === undefined ? {} : { requestId }),
      ...(errors === undefined ? {} : { errors: [...errors] }),
      ...(currentVersion === undefined ? {} : { currentVersion }),
    };
  }

  toResponse(requestId: string | undefined): Response {
    return new Response(JSON.stringify(this.details(requestId)), {
      status: this.status,
      headers: { ...this.headers },
    });
  }
}
