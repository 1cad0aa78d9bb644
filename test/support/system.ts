import { inject } from 'vitest';
import type { PostgresServer } from '../../services/local/postgres/postgres.ts';
import type { RedisProgram } from '../../services/local/redis/find-redis.ts';

/** What the suites of the project `system` share; started by ./global-setup.ts. */
export interface SystemConnections {
  readonly postgres: { readonly primary: PostgresServer; readonly replica: PostgresServer };
  /** In memory, without queues: make your own with `createQueues`. */
  readonly sqs: { readonly endpoint: string; readonly region: string };
  /** The Redis or Valkey server that is installed; null when there is none. */
  readonly redis: RedisProgram | null;
}

declare module 'vitest' {
  interface ProvidedContext {
    system: SystemConnections;
  }
}

/** What all suites share. For suites of the project `system` only. */
export function system(): SystemConnections {
  return inject('system');
}
