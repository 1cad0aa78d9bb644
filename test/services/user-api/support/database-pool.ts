import { onTestFinished } from 'vitest';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';

/** A pool of one connection that is closed after the test, and the lines of its log. */
export function createTestPool(
  settings: Partial<ConstructorParameters<typeof DatabasePool>[0]> & { readonly url: string },
) {
  const lines: string[] = [];
  const pool = new DatabasePool({
    name: 'writer',
    connection: {},
    size: 1,
    statementTimeoutMilliseconds: 2_000,
    logger: createLogger(
      { LOG_LEVEL: 'info', STAGE: 'test' },
      { write: (line) => void lines.push(line) },
    ),
    ...settings,
  });
  onTestFinished(() => pool.close());
  return { pool, lines };
}
