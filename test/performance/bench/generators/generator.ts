import type { Latency } from '../measurement.ts';
import type { RequestSequence } from '../requests.ts';

/** A server under load did not answer as it should, or the load generator failed; the figures of that run mean nothing. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/** What a load generator saw. */
export interface LoadResult {
  /** Requests that were answered. */
  readonly requests: number;
  readonly seconds: number;
  /** Requests that failed: no connection, no response in time, or a status of 400 and above. */
  readonly failures: number;
  readonly latency: Latency;
}

export interface LoadRequest {
  /** Such as `http://127.0.0.1:3000`. */
  readonly origin: string;
  readonly sequence: RequestSequence;
  /** Place in the sequence to start at. @default 0 */
  readonly offset?: number;
  readonly connections: number;
  readonly seconds: number;
  /** Folder for what has to be written to a file. */
  readonly directory: string;
  /** Cores that the generator may use. @default those of this process */
  readonly cores?: readonly number[];
  readonly signal: AbortSignal;
}

/** Closed loop: each connection sends its next request when it has the response to the last one. It finds the most that a server can do. */
export interface ClosedLoopGenerator {
  /** Name and version. */
  readonly name: string;
  run(request: LoadRequest): Promise<LoadResult>;
}

/**
 * Open loop: requests are due at a fixed rate, whatever the server does, and latency counts from when a request was due. So a
 * stall counts for all who would have come during it, and not only for those who were being served (coordinated omission).
 */
export interface OpenLoopGenerator {
  /** Name and version. */
  readonly name: string;
  /** @param requestsPerSecond - of all connections together. */
  run(request: LoadRequest, requestsPerSecond: number): Promise<LoadResult>;
}

/** @throws {LoadError} when anything failed: fast errors would pass for speed. */
export function requireNoFailures(what: string, { requests, failures }: LoadResult): void {
  if (failures > 0 || requests === 0) {
    throw new LoadError(`${what}: ${failures} requests failed, ${requests} were answered`);
  }
}
