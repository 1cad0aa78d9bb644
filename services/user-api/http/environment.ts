import { randomUUID } from 'node:crypto';
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { ChangeScope } from '../../contracts/changes/change-scope.ts';
import type { Span } from '../../contracts/tracing/span.ts';
import type { TraceParent } from '../../contracts/tracing/trace-parent.ts';
import type { LoadedResource } from '../cache/coherent-reader.ts';
import { UNKNOWN_ADDRESS } from '../client-address/client-address.ts';
import type { CheckedRequest } from '../rate-limit/request-limit.ts';

/** Of the 36 characters of a UUID, those that count: 32 bits. */
const COUNTED_CHARACTERS = 8;
const VERSION_AT = 14;
/** Odd, so that multiplying by it gives each 32-bit number once: 2^32 over the golden ratio (Knuth, The Art of Computer Programming, 6.4). */
const SCRAMBLE = 0x9e37_79b1;

/**
 * Makes UUIDs of version 8, which says nothing of how they are made (RFC 9562, 5.8): 90 random bits that stay, and 32 that count, scrambled, so
 * that nobody reads in them how many requests there were. For names that must be unique and need not be secret: this takes a fifth of the time of
 * `randomUUID`, which a hit in memory notices.
 */
export class RequestIds {
  readonly #bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
  #start = '';
  #count = 0;

  next(): string {
    if (this.#count === 0) this.#start = newStart();
    this.#count = (this.#count + 1) >>> 0;
    const counted = Math.imul(this.#count, SCRAMBLE);
    const bytes = this.#bytes;
    const high = `${bytes[counted >>> 24]}${bytes[(counted >>> 16) & 0xff]}`;
    return `${this.#start}${high}${bytes[(counted >>> 8) & 0xff]}${bytes[counted & 0xff]}`;
  }
}

function newStart(): string {
  const random = randomUUID();
  return `${random.slice(0, VERSION_AT)}8${random.slice(VERSION_AT + 1, -COUNTED_CHARACTERS)}`;
}

/** A request id that a proxy or client may give: what logs and headers can hold safely. */
const REQUEST_ID = /^[\w.:-]{8,128}$/;

const ids = new RequestIds();

/** A request with what the service knows about it, made by the server in place of Node.js' own class. */
export class ApiRequest extends IncomingMessage {
  /** When the first bytes of the request had been read, in milliseconds of `performance.now()`. */
  readonly receivedAt: number = performance.now();
  /** Pattern of the route that answers, such as `/api/v1/users/{id}`; null while none does. */
  route: string | null = null;
  /** Slug of the problem that the response is; null while it is none. */
  problem: string | null = null;
  /** Set by whoever answers out of a cache, be it in this process's memory or Redis: only some of these requests are logged. */
  fromCache = false;
  /** The trace that it belongs to, if any, and its span there when it is recorded. */
  trace: TraceParent | undefined = undefined;
  span: Span | undefined = undefined;
  /** Where it comes from, as limits count it; set when it is let in. */
  clientAddress: string = UNKNOWN_ADDRESS;
  /** Set where the request has been counted as a read by somebody without credentials: so that it is not counted again. */
  counted: CheckedRequest | undefined = undefined;
  /** Set where the user that it asks for is being read, or has been: so that nothing is read again. */
  reading: Promise<LoadedResource | null> | undefined = undefined;
  /** What it changes; undefined for a request that changes nothing. */
  changes: ChangeScope | undefined = undefined;
  #id: string | undefined;

  /** Whether the client waits for 100 before it sends the body; in HTTP/1.0 there is no such thing (RFC 9110, 10.1.1). */
  get expectsContinue(): boolean {
    return this.headers.expect !== undefined && this.httpVersionMinor > 0;
  }

  /** The caller's `X-Request-Id` where it is a usable one, or a new UUID. */
  get requestId(): string {
    if (this.#id === undefined) {
      const given = this.headers['x-request-id'];
      this.#id = typeof given === 'string' && REQUEST_ID.test(given) ? given : ids.next();
    }
    return this.#id;
  }
}

export interface ApiBindings {
  readonly incoming: ApiRequest;
  readonly outgoing: ServerResponse<ApiRequest>;
}

/** What Hono's contexts hold in this service. */
export interface ApiEnvironment {
  Bindings: ApiBindings;
}
