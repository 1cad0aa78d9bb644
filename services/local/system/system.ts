import type { LocalFailure } from '../local-failure.ts';
import { startMailbox } from '../mailbox/mailbox.ts';
import { startGuardian } from '../process/guardian.ts';
import { findFreePort, isPortFree } from '../process/ports.ts';
import { startRouter } from '../router/router.ts';
import { databaseEnvironment, type Login, startDatabasePart } from './database-part.ts';
import { claimDirectories, localDirectories } from './directory.ts';
import type { Programs } from './programs.ts';
import { startQueuesPart } from './queues-part.ts';
import { startRedisPart } from './redis-part.ts';
import type { PartLine } from './screen.ts';
import { readOrCreateSecrets } from './secrets.ts';
import {
  apiUrl,
  chooseApiPort,
  chooseInternalPort,
  metricsUrl,
  startServicePart,
} from './service-part.ts';
import type { Settings } from './settings.ts';
import { publishSystem } from './system-file.ts';
import { startWorkersPart } from './workers-part.ts';

const LOOPBACK = '127.0.0.1';

export interface SystemOptions {
  readonly settings: Settings;
  readonly programs: Programs;
  readonly onProgress: (message: string) => void;
  /** Called when a part ends by itself after the start. */
  readonly onFailure: (failure: LocalFailure) => void;
  /** Gives the start up at the next step; what was started is stopped. */
  readonly signal: AbortSignal;
}

export interface LocalSystem {
  readonly apiUrl: string;
  readonly mailboxUrl: string;
  readonly demoUsersInserted: boolean;
  /** Null where no administrator is known. */
  readonly administrator: Login | null;
  /** The parts, for the screen. */
  readonly lines: readonly PartLine[];
  /** Log files of the programs, by the name of the part. */
  readonly logFiles: Readonly<Record<string, string>>;
  /** Stops everything, in the reverse order of the start. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts every part of the system on this machine: what depends on nothing first and side by side, then the API and the
 * workers.
 *
 * @throws `LocalFailure` when a part cannot be started, or the signal's reason; nothing is left running then.
 */
export async function startSystem(options: SystemOptions): Promise<LocalSystem> {
  const { settings, programs, onProgress, onFailure, signal } = options;
  const directories = localDirectories(settings.directory);
  await using started = new AsyncDisposableStack();

  const port = await chooseApiPort(settings);
  const internalPort = await chooseInternalPort(settings);
  const lock = claimDirectories(settings.directory);
  started.defer(() => lock.release());
  const secrets = readOrCreateSecrets(directories.secrets);
  const guardian = startGuardian();
  started.defer(() => guardian.close());

  /** Waits for all, even when one fails, so that none starts behind the back of the clean-up. */
  const together = async <Parts extends readonly Promise<{ stop(): Promise<void> }>[]>(
    ...parts: Parts
  ) => {
    const settled = await Promise.allSettled(
      parts.map(async (starting) => {
        const part = await starting;
        started.defer(() => part.stop());
      }),
    );
    for (const result of settled) if (result.status === 'rejected') throw result.reason;
    signal.throwIfAborted();
    return await Promise.all(parts);
  };

  const [database, redis, queues, mailbox] = await together(
    startDatabasePart({
      settings,
      directories,
      programs,
      administratorPassword: secrets.administratorPassword,
      guardian,
      onProgress,
      onFailure,
    }),
    startRedisPart(settings, directories, guardian, onFailure),
    startQueuesPart(settings, directories, programs.workers),
    startMailbox({ directory: directories.mailbox, port: await chooseMailboxPort(settings) }),
  );

  // Before the API is ready: a load test of a cold start waits for it.
  started.defer(
    publishSystem(settings.directory, {
      apiUrl: apiUrl(settings, port),
      metricsUrl: metricsUrl(internalPort),
      mailboxUrl: mailbox.url,
      processId: process.pid,
    }),
  );

  onProgress('Starting the user API and the workers');
  const queueVariables = programs.workers.map(
    ({ name, queueUrlVariable }) => [queueUrlVariable, queues.urls[name] ?? ''] as const,
  );
  const environment = {
    ...queues.credentials,
    ...(settings.highLimits && { RATE_LIMITS: highLimits(settings, programs) }),
    SERVICE_SECRET: settings.environment.SERVICE_SECRET || secrets.serviceSecret,
    ACCESS_TOKEN_ISSUER: settings.environment.ACCESS_TOKEN_ISSUER || apiUrl(settings, port),
    AWS_REGION: settings.region,
    REDIS_URL: redis.url ?? '',
    SQS_ENDPOINT: queues.endpoint ?? '',
    ...Object.fromEntries(queueVariables),
  };
  const common = { settings, directories, programs, guardian, onFailure };
  const isRouted = programs.furtherServices.length > 0;
  // The router appends the address of each client.
  const hops = Number(settings.environment.TRUSTED_PROXY_HOPS || 0) + 1;
  const behindRouter = isRouted && { TRUSTED_PROXY_HOPS: String(hops) };
  const [api, workers, ...further] = await together(
    startServicePart({
      ...common,
      service: programs.userApi,
      title: 'User API',
      notes: ['writes go to the primary, reads to the replica'],
      host: isRouted ? LOOPBACK : settings.host,
      port: isRouted ? await findFreePort() : port,
      internalPort,
      environment: {
        ...environment,
        ...behindRouter,
        ...databaseEnvironment(programs.userApi, database.urls),
      },
    }),
    startWorkersPart({
      settings,
      directories,
      workers: programs.workers,
      queues,
      databaseUrls: database.urls,
      apiUrl: apiUrl(settings, port),
      guardian,
      onProgress,
    }),
    ...programs.furtherServices.map(async (service) =>
      startServicePart({
        ...common,
        service,
        title: service.name,
        host: LOOPBACK,
        port: await findFreePort(),
        internalPort: await findFreePort(),
        environment: {
          ...environment,
          ...behindRouter,
          ...databaseEnvironment(service, database.urls),
        },
      }),
    ),
  );
  if (isRouted) {
    await together(
      startRouter({
        host: settings.host,
        port,
        routes: [programs.userApi, ...programs.furtherServices].map((service, index) => ({
          ...service,
          port: [api, ...further][index]?.port ?? 0,
        })),
        fallbackPort: api.port,
      }),
    );
  }
  const running = started.move();
  return {
    apiUrl: apiUrl(settings, port),
    mailboxUrl: mailbox.url,
    demoUsersInserted: database.demoUsersInserted,
    administrator: database.administrator,
    lines: [
      { ...api.line, where: apiUrl(settings, port) },
      ...programs.furtherServices.map(({ name, pathPatterns }) => ({
        name,
        where: pathPatterns.map((pattern) => `${apiUrl(settings, port)}${pattern}`).join(' '),
      })),
      api.metricsLine,
      { name: 'Mailbox', where: mailbox.url, notes: ['every email that the system sends'] },
      database.line,
      redis.line,
      queues.line,
      workers.line,
    ],
    logFiles: {
      'user-api': api.logFile,
      ...Object.fromEntries(further.map(({ line, logFile }) => [line.name, logFile])),
      ...workers.logFiles,
    },
    stop: () => running.disposeAsync(),
  };
}

/** Of a policy that is named twice, the last limit counts. */
function highLimits({ environment }: Settings, { highLimits }: Programs): string {
  const given = environment.RATE_LIMITS ?? '';
  return given === '' ? highLimits : `${highLimits},${given}`;
}

/** A default port that is taken is no reason not to start: another mail catcher may be there. */
async function chooseMailboxPort(settings: Settings): Promise<number> {
  if (settings.mailboxPortGiven || (await isPortFree(settings.mailboxPort))) {
    return settings.mailboxPort;
  }
  return await findFreePort();
}
