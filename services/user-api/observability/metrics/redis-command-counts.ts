import { DurationHistogram } from './duration-histogram.ts';

/** The commands of one name. */
export interface RedisCommandSeries {
  readonly durations: DurationHistogram;
  failures: number;
}

/** What the process has asked of Redis since it started. */
export class RedisCommandCounts {
  readonly commands = new Map<string, RedisCommandSeries>();

  /** @param command - in lower case, one of the few that the service sends. */
  record(command: string, seconds: number, failed: boolean): void {
    let series = this.commands.get(command);
    if (series === undefined) {
      series = { durations: new DurationHistogram(), failures: 0 };
      this.commands.set(command, series);
    }
    series.durations.observe(seconds);
    if (failed) series.failures += 1;
  }
}
