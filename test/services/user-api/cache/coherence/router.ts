import { DatabasePool } from '../../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../../services/user-api/database/router.ts';
import type { Logger } from '../../../../../services/user-api/observability/logger.ts';
import type { ServerUrls } from './servers.ts';

/** The primary for writes, the replica that lags for reads. */
export function createRouter({ readerUrl, writerUrl }: ServerUrls, logger: Logger): DatabaseRouter {
  const pool = (name: string, url: string) =>
    new DatabasePool({
      name,
      url,
      connection: {},
      size: 4,
      statementTimeoutMilliseconds: 5_000,
      logger,
    });
  return new DatabaseRouter(
    { writer: pool('writer', writerUrl), readers: [pool('reader', readerUrl)] },
    logger,
  );
}
