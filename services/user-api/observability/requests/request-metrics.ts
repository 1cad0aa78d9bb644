import { DurationHistogram } from '../metrics/duration-histogram.ts';

/** The requests of one method on one route. */
export class RequestSeries {
  readonly durations = new DurationHistogram();
  /** How many were answered with each status. */
  readonly statuses = new Map<number, number>();

  record(status: number, seconds: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    this.durations.observe(seconds);
  }
}

/**
 * What the process has answered since it started. Two look-ups and some additions for a request: the routes and methods are few
 * and known, so there is nothing here that a client could make grow.
 */
export class RequestMetrics {
  readonly #series = new Map<string, Map<string, RequestSeries>>();
  readonly #problems = new Map<string, Map<string, number>>();

  /** @param route - a pattern, never a path. */
  record(method: string, route: string, status: number, seconds: number): void {
    let byMethod = this.#series.get(route);
    if (byMethod === undefined) {
      byMethod = new Map();
      this.#series.set(route, byMethod);
    }
    let series = byMethod.get(method);
    if (series === undefined) {
      series = new RequestSeries();
      byMethod.set(method, series);
    }
    series.record(status, seconds);
  }

  recordProblem(route: string, problem: string): void {
    const byProblem = this.#problems.get(route) ?? new Map<string, number>();
    byProblem.set(problem, (byProblem.get(problem) ?? 0) + 1);
    this.#problems.set(route, byProblem);
  }

  *series(): Generator<{ method: string; route: string; series: RequestSeries }, void> {
    for (const [route, byMethod] of this.#series) {
      for (const [method, series] of byMethod) yield { method, route, series };
    }
  }

  *problems(): Generator<{ route: string; problem: string; count: number }, void> {
    for (const [route, byProblem] of this.#problems) {
      for (const [problem, count] of byProblem) yield { route, problem, count };
    }
  }
}
