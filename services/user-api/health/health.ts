import { createRoute, z } from '@hono/zod-openapi';
import type { Operation } from '../http/operations.ts';
import { json, jsonResponse } from '../http/route-parts.ts';

const health = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    parts: z.record(z.string(), z.enum(['up', 'down', 'absent'])),
  })
  .meta({ id: 'Health' });
const liveness = z.object({ status: z.literal('alive') }).meta({ id: 'Liveness' });
const readiness = z.object({ status: z.enum(['ready', 'not ready']) }).meta({ id: 'Readiness' });

export function createHealthOperations(monitor: HealthMonitor): Operation[] {
  return [
    {
      route: createRoute({
        method: 'get',
        path: '/health',
        summary: 'Get the health of the service and its dependencies',
        responses: {
          200: json('Reads work; other parts may be down', health),
          503: json('No database server responds', health),
        },
      }),
      handler: async () => {
        const summary = await monitor.summary();
        return jsonResponse(summary, summary.status === 'down' ? 503 : 200);
      },
    },
    {
      route: createRoute({
        method: 'get',
        path: '/health/live',
        summary: 'Liveness: replace the process if it does not respond',
        responses: { 200: json('The process runs', liveness) },
      }),
      handler: () => jsonResponse({ status: 'alive' }, 200),
    },
    {
      route: createRoute({
        method: 'get',
        path: '/health/ready',
        summary: 'Readiness: whether to send requests to this process',
        responses: {
          200: json('Ready', readiness),
          503: json('Not ready: starting or shutting down', readiness),
        },
      }),
      handler: async () =>
        (await monitor.isReady())
          ? jsonResponse({ status: 'ready' }, 200)
          : jsonResponse({ status: 'not ready' }, 503),
    },
  ];
}

/** How a part that the service depends on is: `absent` when it is not configured. */
export type PartState = 'up' | 'down' | 'absent';

export interface Health {
  /** `down` when not even reads can be served, `degraded` when anything else is down. */
  readonly status: 'ok' | 'degraded' | 'down';
  readonly parts: Readonly<Record<string, PartState>>;
}

/** Asks the parts how they are. */
export interface HealthProbes {
  /** Each server of the database by its name, and whether it responds. */
  readonly database: () => Promise<ReadonlyMap<string, boolean>>;
  readonly redis: () => Promise<PartState>;
  readonly queue: () => PartState;
}

/** Anyone may ask for /health; the parts are asked this often at most, in milliseconds. */
const KEPT_MILLISECONDS = 250;

const stateOf = (up: boolean): PartState => (up ? 'up' : 'down');

/** The health of the service, for load balancers and people. */
export class HealthMonitor {
  readonly #probes: HealthProbes;
  #draining = false;
  #databaseReached = false;
  #latest: Promise<Health> | undefined;
  #askedAt = 0;

  constructor(probes: HealthProbes) {
    this.#probes = probes;
  }

  /** From now on the service is not ready: it finishes what it has, and wants nothing new. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Whether to send requests here. A service is ready once it has reached a database, and until it drains. It stays ready when a
   * part that all its like share goes down: taking all of them out of the load balancer, or replacing them, would mend
   * nothing, and would end what still works.
   */
  async isReady(): Promise<boolean> {
    if (this.#draining) return false;
    if (!this.#databaseReached) {
      this.#databaseReached = (await this.summary()).status !== 'down';
    }
    // It may have begun to drain while the database was asked.
    return this.#databaseReached && !this.#draining;
  }

  summary(): Promise<Health> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#askedAt > KEPT_MILLISECONDS) {
      this.#askedAt = now;
      this.#latest = this.#ask();
    }
    return this.#latest;
  }

  async #ask(): Promise<Health> {
    const [database, redis] = await Promise.all([this.#probes.database(), this.#probes.redis()]);
    const parts: Record<string, PartState> = {
      ...Object.fromEntries([...database].map(([name, up]) => [name, stateOf(up)])),
      redis,
      queue: this.#probes.queue(),
    };
    const readable = [...database.values()].includes(true);
    const anyDown = Object.values(parts).includes('down');
    return { status: !readable ? 'down' : anyDown ? 'degraded' : 'ok', parts };
  }
}
