import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { ListenError } from '../http/listen-error.ts';
import type { Logger } from '../observability/logger.ts';
import { createMetricsRegistry } from '../observability/metrics/registry.ts';
import type { MetricSources } from '../observability/metrics/sources.ts';
import type { Settings } from '../settings/settings.ts';
import { createInternalApp } from './app.ts';
import { Diagnostics } from './diagnostics.ts';

export interface InternalServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on the internal port, and on no other: the public one serves nothing of this.
 *
 * @returns null when `INTERNAL_PORT` is unset.
 * @throws `ListenError` naming the port or the host, and what to do.
 */
export async function startInternalServer(
  settings: Settings,
  logger: Logger,
  sources: MetricSources,
): Promise<InternalServer | null> {
  const { DIAGNOSTICS_DIRECTORY: directory, INTERNAL_HOST: host, INTERNAL_PORT } = settings;
  if (INTERNAL_PORT === undefined) return null;
  const diagnostics = directory === undefined ? null : new Diagnostics(directory, logger);
  const registry = createMetricsRegistry(sources);
  const server = createAdaptorServer(createInternalApp({ registry, logger, diagnostics }));
  const port = await new Promise<number>((resolve, reject) => {
    const variables = { hostVariable: 'INTERNAL_HOST', portVariable: 'INTERNAL_PORT' };
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ListenError({ host, port: INTERNAL_PORT, ...variables }, error)),
    );
    server.listen(INTERNAL_PORT, host, () => resolve((server.address() as AddressInfo).port));
  });
  logger.info({ host, port, diagnostics: directory !== undefined }, 'Internal port');
  return {
    port,
    async close() {
      diagnostics?.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}
