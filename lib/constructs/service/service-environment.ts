import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { timeouts } from '../../config/timeouts.ts';
import { publicName } from '../edge/domain.ts';
import { DIAGNOSTICS_DIRECTORY } from '../shared/writable-folders.ts';
import type { ContainerServiceProps } from './container-service-props.ts';
import { internalEnvironment } from './telemetry-collector.ts';

const MILLISECONDS = 1_000;
/** CloudFront, then the load balancer: each appends the address that called it to X-Forwarded-For. */
const PROXY_HOPS = 2;

/** The variables of a service's container; `services/contracts/environment` says what each means, and a test compares the two. */
export function serviceEnvironment(
  scope: Construct,
  props: ContainerServiceProps,
): Record<string, string> {
  const { definition, operations, cache, size } = props;
  const { stage } = operations;
  return {
    STAGE: stage.name,
    AWS_REGION: Stack.of(scope).region,
    HOST: '0.0.0.0',
    PORT: String(definition.port),
    ...internalEnvironment(stage.policy.telemetry),
    DIAGNOSTICS_DIRECTORY,
    TRUSTED_PROXY_HOPS: String(PROXY_HOPS),
    ...databaseEnvironment(props),
    REDIS_URL: cache.url,
    REDIS_MODE: cache.mode,
    SESSION_REDIS_URL: cache.sessionUrl,
    NEAR_CACHE_BYTES: String(size.nearCacheBytes),
    RATE_LIMIT_EXPECTED_PROCESSES: String(size.typicalTasks),
    ACCESS_TOKEN_ISSUER: `https://${publicName(stage)}`,
    ACCESS_TOKEN_AUDIENCE: `headroom-${stage.name}`,
    REQUEST_DEADLINE_MILLISECONDS: String(timeouts.serviceRequest * MILLISECONDS),
    KEEP_ALIVE_TIMEOUT_MILLISECONDS: String(timeouts.serviceKeepAlive * MILLISECONDS),
    SHUTDOWN_DELAY_MILLISECONDS: String(timeouts.shutdownDelay * MILLISECONDS),
    SHUTDOWN_TIMEOUT_MILLISECONDS: String(timeouts.shutdownTimeout * MILLISECONDS),
    ...Object.assign({}, ...props.workers.map((worker) => worker.environment)),
  };
}

/** A service without a role has no access to the database. */
function databaseEnvironment(props: ContainerServiceProps): Record<string, string> {
  const { database, size } = props;
  const user = props.definition.databaseUser;
  if (user === undefined) return {};
  const readers = database.readerUrl(user);
  return {
    DATABASE_URL: database.writerUrl(user),
    ...(readers === undefined ? {} : { DATABASE_READER_URLS: readers }),
    DATABASE_AUTHENTICATION: 'iam',
    DATABASE_TLS: 'verify',
    DATABASE_POOL_SIZE: String(size.databasePoolSize),
    DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: String(timeouts.databaseStatement * MILLISECONDS),
  };
}
