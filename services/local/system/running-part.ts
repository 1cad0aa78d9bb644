import type { PartLine } from './screen.ts';

export interface RunningPart {
  /** What the screen says of it. */
  readonly line: PartLine;
  stop(): Promise<void>;
}
