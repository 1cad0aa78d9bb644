import { randomUUID } from 'node:crypto';
import { IncomingMessage, type ServerResponse } from 'node:http';
import { ChangeScope } from '../../contracts/changes/change-scope.ts';
import type { LoadedResource } from '../cache/coherent-reader.ts';
import { RequestRecord } from '../observability/requests/request-observer.ts';
import type { CheckedRequest } from '../rate-limit/decision.ts';

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

/** A request with an id, made by the server in place of Node.js' own class. */
export class ApiRequest extends IncomingMessage {
  /** When the first bytes of the request had been read, in milliseconds of `performance.now()`. */
  readonly receivedAt: number = performance.now();
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

/** What the fast path has begun for a request that it passes on, so that nothing is done twice. */
export interface FastPathFindings {
  /** Counted as a read by somebody without credentials. @default not counted */
  readonly counted?: CheckedRequest;
  /** The user that it asks for. @default not read */
  readonly reading?: Promise<LoadedResource | null>;
}

/** What the steps of the full path know about a request. */
export interface ApiBindings {
  readonly incoming: ApiRequest;
  readonly outgoing: ServerResponse<ApiRequest>;
  /** Where it comes from, as limits count it. */
  readonly address: string;
  readonly found: FastPathFindings;
  /** What it changes; undefined for a request that changes nothing. */
  readonly changes: ChangeScope | undefined;
  readonly record: RequestRecord;
}

/** What a request enters the full path with. */
export function createBindings(
  incoming: ApiRequest,
  outgoing: ServerResponse<ApiRequest>,
  address: string,
  found: FastPathFindings = {},
): ApiBindings {
  const changesNothing = incoming.method === 'GET' || incoming.method === 'HEAD';
  const changes = changesNothing ? undefined : new ChangeScope();
  return { incoming, outgoing, address, found, changes, record: new RequestRecord() };
}

/** What Hono's contexts hold in this service. */
export interface ApiEnvironment {
  Bindings: ApiBindings;
}
