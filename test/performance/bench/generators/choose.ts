import type { Cores } from '../cores.ts';
import { createAutocannon } from './autocannon.ts';
import type { ClosedLoopGenerator, OpenLoopGenerator } from './generator.ts';
import { createOha, ohaVersion } from './oha.ts';
import { createWrk, wrkVersion } from './wrk.ts';

export interface Generators {
  readonly closedLoop: ClosedLoopGenerator;
  readonly openLoop: OpenLoopGenerator | null;
  /** What the reader must know of the choice. */
  readonly notes: readonly string[];
}

/** The load generators that this machine has; `docs/performance.md` says why these. */
export function chooseGenerators(cores: Cores): Generators {
  const wrk = wrkVersion();
  const oha = ohaVersion();
  const notes: string[] = [];
  if (wrk === null) {
    notes.push(
      'wrk is not on the PATH, so autocannon makes the load. It sends hardly more than one core of Node.js answers: throughputs of fast servers look alike, and latencies are in whole milliseconds. Install wrk: apt-get install wrk, or brew install wrk.',
    );
  }
  if (oha === null) {
    notes.push(
      'oha is not on the PATH, so nothing is measured in an open loop. Install it: cargo install --locked oha, or brew install oha.',
    );
  }
  return {
    closedLoop: wrk === null ? createAutocannon(cores) : createWrk(cores, wrk),
    openLoop: oha === null ? null : createOha(cores, oha),
    notes,
  };
}
