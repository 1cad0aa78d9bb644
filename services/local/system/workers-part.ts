import { join } from 'node:path';
import { startEventSource } from '../event-source/event-source.ts';
import type { Guardian } from '../process/guardian.ts';
import { type DatabasePart, databaseEnvironment } from './database-part.ts';
import type { LocalDirectories } from './directory.ts';
import type { LocalWorker } from './programs.ts';
import type { QueuesPart } from './queues-part.ts';
import type { RunningPart } from './running-part.ts';
import type { Settings } from './settings.ts';

export interface WorkersPart extends RunningPart {
  /** Log file of each worker, by its name. */
  readonly logFiles: Readonly<Record<string, string>>;
}

/** Variables of the developer that reach a worker when they are set; the others would not on AWS either. */
const PASSED_ON = [
  'LOG_LEVEL',
  'EMAIL_TRANSPORT',
  'EMAIL_SENDER',
  'DATABASE_PASSWORD_FILE',
  'DATABASE_TLS',
  'PASSWORD_RESET_URL',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const;

/** The handlers that the stacks deploy, each fed from its queue. */
export async function startWorkersPart(options: {
  readonly settings: Settings;
  readonly directories: LocalDirectories;
  readonly workers: readonly LocalWorker[];
  readonly queues: QueuesPart;
  readonly databaseUrls: DatabasePart['urls'];
  /** URL of the API, without a slash at the end. */
  readonly apiUrl: string;
  readonly guardian: Guardian;
  readonly onProgress: (message: string) => void;
}): Promise<WorkersPart> {
  const { settings, directories, workers, queues } = options;
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = settings.environment[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  const logFiles: Record<string, string> = {};
  const sources = await Promise.all(
    workers.map(async (worker) => {
      const logFile = join(directories.logs, `${worker.name}-worker.log`);
      logFiles[worker.name] = logFile;
      const queueUrl = queues.urls[worker.name];
      if (queueUrl === undefined)
        throw new Error(`There is no queue for the worker ${worker.name}`);
      return await startEventSource({
        worker,
        queueUrl,
        region: settings.region,
        ...(queues.endpoint !== undefined && { endpoint: queues.endpoint }),
        environment: {
          ...queues.credentials,
          ...databaseEnvironment(worker, options.databaseUrls),
          MAILBOX_DIRECTORY: directories.mailbox,
          PASSWORD_RESET_URL: `${options.apiUrl}/reset-password`,
          ...Object.fromEntries(passedOn),
        },
        logFile,
        guard: options.guardian,
        onQueueFailure: (error) =>
          options.onProgress(
            `The queue of the ${worker.name} worker cannot be reached: ${error.message}`,
          ),
      });
    }),
  );
  return {
    logFiles,
    line: {
      name: 'Workers',
      where: workers.map(({ name }) => name).join(', '),
      notes: workers.map(
        ({ name, batchSize, maximumBatchingWindowSeconds }) =>
          `${name}: batches of up to ${batchSize}, collected for up to ${maximumBatchingWindowSeconds} s`,
      ),
    },
    stop: async () => void (await Promise.all(sources.map((source) => source.stop()))),
  };
}
