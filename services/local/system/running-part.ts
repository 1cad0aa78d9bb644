import type { PartLine } from './screen.ts';

/** A part of the system that runs. */
export interface RunningPart {
  /** What the screen says of it. */
  readonly line: PartLine;
  stop(): Promise<void>;
}
