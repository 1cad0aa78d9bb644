import type { ProblemDetails, ProblemError } from '../../contracts/problem.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { ProblemType } from './problem-type.ts';
import { type ProblemSlug, problemTypes } from './problem-types.ts';

export interface ProblemOptions extends ErrorOptions {
  /** Every invalid field or parameter. @default left out */
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

type ErrorClass<Thrown extends Error = Error> = abstract new (...parameters: never[]) => Thrown;

/** The problem of all errors of a class, and of its subclasses that have no row of their own. */
export interface ErrorRow {
  readonly type: ErrorClass;
  readonly toProblem: (error: Error) => Problem;
}

/** Makes a row of the table from error class to problem (`app/error-handler.ts`). */
export function problemOf<Thrown extends Error>(
  type: ErrorClass<Thrown>,
  toProblem: (error: Thrown) => Problem,
): ErrorRow {
  return {
    type,
    toProblem(error) {
      if (error instanceof type) return toProblem(error);
      throw new TypeError(`The row of ${type.name} got another error`, { cause: error });
    },
  };
}

/** Seconds after which to try again: about as long as new connections take, and not the same for every client. */
const RETRY_AFTER_MINIMUM_SECONDS = 1;
const RETRY_AFTER_SPREAD_SECONDS = 3;

/** The header of a problem that may not come again when the request is sent again later. */
export function retryAfter(): { readonly 'retry-after': string } {
  const spread = Math.floor(Math.random() * RETRY_AFTER_SPREAD_SECONDS);
  return { 'retry-after': String(RETRY_AFTER_MINIMUM_SECONDS + spread) };
}
