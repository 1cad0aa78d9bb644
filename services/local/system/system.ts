import type { LocalFailure } from '../local-failure.ts';
import { startMailbox } from '../mailbox/mailbox.ts';
import { startGuardian } from '../process/guardian.ts';
import { findFreePort, isPortFree } from '../process/ports.ts';
import { type Login, startDatabasePart } from './database-part.ts';
import { claimDirectories, localDirectories } from './directory.ts';
import type { Programs } from './programs.ts';
import { startQueuesPart } from './queues-part.ts';
import { startRedisPart } from './redis-part.ts';
import type { PartLine } from './screen.ts';
import { readOrCreateSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { publishSystem } from './system-file.ts';
import {
  apiUrl,
  chooseApiPort,
  chooseInternalPort,
  metricsUrl,
  startUserApiPart,
} from './user-api-part.ts';
import { startWorkersPart } from './workers-part.ts';

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
  /** Who can log in as an administrator; null where nobody is known. */
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
  const [api, workers] = await together(
    startUserApiPart({
      settings,
      directories,
      programs,
      guardian,
      port,
      internalPort,
      onFailure,
      environment: {
        ...queues.credentials,
        ...(settings.highLimits && { RATE_LIMITS: highLimits(settings, programs) }),
        SERVICE_SECRET: settings.environment.SERVICE_SECRET || secrets.serviceSecret,
        ACCESS_TOKEN_ISSUER: settings.environment.ACCESS_TOKEN_ISSUER || apiUrl(settings, port),
        AWS_REGION: settings.region,
        DATABASE_URL: database.apiUrls.writer,
        DATABASE_READER_URLS: database.apiUrls.readers.join(','),
        REDIS_URL: redis.url ?? '',
        SQS_ENDPOINT: queues.endpoint ?? '',
        ...Object.fromEntries(queueVariables),
      },
    }),
    startWorkersPart({
      settings,
      directories,
      workers: programs.workers,
      queues,
      databaseUrls: database.workerUrls,
      apiUrl: apiUrl(settings, port),
      guardian,
      onProgress,
    }),
  );

  const running = started.move();
  return {
    apiUrl: api.url,
    mailboxUrl: mailbox.url,
    demoUsersInserted: database.demoUsersInserted,
    administrator: database.administrator,
    lines: [
      api.line,
      api.metricsLine,
      { name: 'Mailbox', where: mailbox.url, notes: ['every email that the system sends'] },
      database.line,
      redis.line,
      queues.line,
      workers.line,
    ],
    logFiles: { 'user-api': api.logFile, ...workers.logFiles },
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
