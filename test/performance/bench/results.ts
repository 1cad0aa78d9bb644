import type { Verdict } from './comparison.ts';
import { judge } from './comparison.ts';
import type { Machine } from './machine.ts';
import type { Measurement, Target } from './measurement.ts';
import type { Operation } from './stage.ts';
import { median } from './statistics.ts';

/** All that one run of the benchmark found, as it is written to `results.json`. */
export interface BenchmarkResults {
  /** When it began, RFC 3339 in UTC. */
  readonly startedAt: string;
  /** How long it took in all. */
  readonly seconds: number;
  /** The commit that was measured, with `+` behind it when files had been changed since. */
  readonly commit: string | null;
  readonly machine: Machine;
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly secondsPerRun: number;
  /** Whether each server had a core of its own. */
  readonly pinned: boolean;
  readonly cases: readonly CaseResults[];
  /** What could not be measured, or not to the end. */
  readonly omissions: readonly Omission[];
}

export interface CaseResults {
  readonly name: string;
  readonly title: string;
  readonly operation: Operation;
  readonly note: string | null;
  readonly targets: readonly Target[];
  /** Measurements of each subject, one for each round; null for a run that failed. */
  readonly measurements: Readonly<Record<string, readonly (Measurement | null)[]>>;
}

export interface Omission {
  readonly case: string;
  readonly subject: string;
  readonly reason: string;
  /** Whether something went wrong, rather than being absent or cut short. */
  readonly failed: boolean;
}

/** How the targets of a case came out: those whose subjects were both measured. */
export function verdictsOf({ targets, measurements }: CaseResults): Verdict[] {
  return targets.flatMap((target) => {
    const subject = measurements[target.subject];
    const against = target.comparison === 'figure' ? [] : measurements[target.against];
    const verdict =
      subject === undefined || against === undefined ? null : judge(target, subject, against);
    return verdict === null ? [] : [verdict];
  });
}

/** Shares of the subjects' core that other processes used, of which the median is at most this, count as quiet. */
const QUIET_SHARE = 0.03;

/** What to tell of other processes that ran beside the benchmark; null when the machine was quiet, or does not tell. */
export function disturbanceNote({ cases }: BenchmarkResults): string | null {
  const shares = cases.flatMap(({ measurements }) =>
    Object.values(measurements).flatMap((rounds) =>
      rounds.flatMap((one) => (typeof one?.disturbance === 'number' ? [one.disturbance] : [])),
    ),
  );
  if (shares.length === 0) return null;
  const share = median(shares);
  if (share <= QUIET_SHARE) return null;
  return `Other processes used ${Math.round(share * 100)} % of the subjects’ core (median of the runs): the machine was not quiet, and these figures are not to be relied on.`;
}
