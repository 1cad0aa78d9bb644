import type { TraceParent } from '../../../contracts/tracing/trace-parent.ts';

/** So that nobody can make a process trace all that it does by saying so in a header. */
export const TRACES_MAXIMUM_PER_SECOND = 100;

/** Decides which requests are recorded: those whose caller is, and of the others a fraction. */
export class TraceSampler {
  readonly #ratio: number;
  // None yet: the first second of a process counts as any other.
  #second = -1;
  #left = 0;

  /** @param ratio - from 0 to 1. */
  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  /** Whether a request that comes without a trace is to begin one: no more than a random number, because it is asked for each request. */
  chooses(): boolean {
    return this.#ratio > 0 && Math.random() < this.#ratio;
  }

  /** Whether to record what has been chosen, or whose caller is recorded. */
  admits(parent: TraceParent | null): boolean {
    if (parent !== null && !parent.sampled) return false;
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = TRACES_MAXIMUM_PER_SECOND;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
