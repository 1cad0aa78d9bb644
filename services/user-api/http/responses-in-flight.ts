import type { ServerResponse } from 'node:http';
import type { ApiRequest } from './environment.ts';

/** A response that is in flight, between its neighbours in the list. */
export interface ResponseInFlight {
  readonly outgoing: ServerResponse<ApiRequest>;
  previous: ResponseInFlight | null;
  next: ResponseInFlight | null;
}

/**
 * The answers that are not sent yet, linked by hand. A `Set` would do, were it not for its tables: V8 makes a new one for every few dozen
 * answers that come and go, and each old one points to the next. Once a collection finds one of them in use, all that come after are kept, with the
 * requests in them, until a full collection: collections of young objects then take five times as long (measured with `--trace-gc`).
 */
export class ResponsesInFlight {
  #first: ResponseInFlight | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns what `remove` takes. */
  add(outgoing: ServerResponse<ApiRequest>): ResponseInFlight {
    const added: ResponseInFlight = { outgoing, previous: null, next: this.#first };
    if (this.#first !== null) this.#first.previous = added;
    this.#first = added;
    this.#size += 1;
    return added;
  }

  /** To be called once for what was added. */
  remove(response: ResponseInFlight): void {
    const { next, previous } = response;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    response.next = null;
    response.previous = null;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Generator<ServerResponse<ApiRequest>> {
    for (let response = this.#first; response !== null; response = response.next)
      yield response.outgoing;
  }
}
