import type { CacheMetrics, PoolMetrics, RedisCommandCounts, RequestMetrics } from './counters.ts';

/** Memory that one of this process's caches takes. */
export interface CacheUse {
  readonly count: number;
  readonly bytes: number;
}

/** What the parts of the service tell about themselves. All of it is read only when somebody asks for metrics. */
export interface DependencySources {
  readonly pools: readonly {
    readonly waiting: number;
    readonly name: string;
    /** Most connections. */
    readonly size: number;
    readonly metrics: PoolMetrics;
  }[];
  /** The connections to Redis that there are: for caches and limits, and for sessions where they have one of their own. */
  readonly redis: readonly {
    readonly name: 'cache' | 'sessions';
    readonly client: { readonly status: string; readonly metrics: RedisCommandCounts };
  }[];
  readonly caches: {
    readonly metrics: CacheMetrics;
    readonly near: CacheUse & { readonly isOpen: boolean; readonly evictions: number };
    readonly lists: CacheUse;
  };
  readonly dispatcher: {
    readonly counts: {
      readonly sent: number;
      readonly refused: number;
      readonly failedSends: number;
    };
    readonly held: number;
    readonly isUp: boolean;
  };
  /** Null while no database responds. */
  readonly outbox: {
    depth(): Promise<{ readonly events: number; readonly overdueSeconds: number } | null>;
  };
  readonly rateLimits: {
    readonly limiters: Readonly<
      Record<
        string,
        {
          readonly counts: Readonly<
            Record<string, { readonly allowed: number; readonly refused: number }>
          >;
        }
      >
    >;
    readonly shared: boolean;
  };
  readonly admission: { readonly counts: Readonly<Record<string, number>> };
  readonly hasher: { readonly load: { readonly running: number; readonly waiting: number } };
}

export interface MetricSources extends DependencySources {
  readonly requests: RequestMetrics;
  readonly server: { readonly requestsInFlight: number; readonly connections: number };
  /** Null where nothing is recorded. */
  readonly tracer: {
    readonly counts: { readonly exported: number; readonly failed: number };
  } | null;
}
