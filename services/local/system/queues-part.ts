import { LocalFailure } from '../local-failure.ts';
import { startSqs } from '../sqs/sqs.ts';
import type { LocalDirectories } from './directory.ts';
import type { Programs } from './programs.ts';
import type { RunningPart } from './running-part.ts';
import type { Settings } from './settings.ts';

export interface QueuesPart extends RunningPart {
  /** Absent: the endpoint of AWS. */
  readonly endpoint?: string;
  /** The queue of each worker, by the worker's name. */
  readonly urls: Readonly<Record<string, string>>;
  /** Variables with the credentials for this endpoint. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** The SQS of the settings, or one started here, with the workers' queues. */
export async function startQueuesPart(
  settings: Settings,
  directories: LocalDirectories,
  workers: Programs['workers'],
): Promise<QueuesPart> {
  if (settings.queues !== undefined) return givenQueues(settings, workers);
  const server = await startSqs({
    directory: directories.sqs,
    region: settings.region,
    queues: workers,
  });
  const { host } = new URL(server.endpoint);
  return {
    endpoint: server.endpoint,
    urls: Object.fromEntries(workers.map(({ name }) => [name, queueUrl(server.queues, name)])),
    // The client signs its requests to an emulator, too; these keep a developer's real keys out of it.
    credentials: { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
    line: {
      name: 'SQS',
      where: `${host}, with ${workers.map(({ name }) => `${name} and ${name}-dead-letter`).join(', ')}`,
    },
    stop: () => server.stop(),
  };
}

function queueUrl(queues: Readonly<Record<string, { url: string }>>, name: string): string {
  const queue = queues[name];
  if (queue === undefined) throw new Error(`SQS was started without the queue ${name}`);
  return queue.url;
}

function givenQueues(settings: Settings, workers: Programs['workers']): QueuesPart {
  const endpoint = settings.queues?.endpoint;
  const urls = workers.map(({ name, queueUrlVariable }) => {
    const url = settings.environment[queueUrlVariable];
    if (url === undefined || url === '') {
      throw new LocalFailure(
        `${queueUrlVariable} is not set, and SQS is not started here because another queue is given.`,
        `Set ${queueUrlVariable} to the URL of the queue of the ${name} worker.`,
      );
    }
    return [name, url] as const;
  });
  const credentials = Object.entries(settings.environment).filter(
    (entry): entry is [string, string] => entry[0].startsWith('AWS_') && entry[1] !== undefined,
  );
  return {
    ...(endpoint !== undefined && { endpoint }),
    urls: Object.fromEntries(urls),
    credentials: Object.fromEntries(credentials),
    line: {
      name: 'SQS',
      where: endpoint === undefined ? 'AWS' : `${endpoint} (SQS_ENDPOINT)`,
      notes: urls.map(([, url]) => url),
    },
    stop: async () => {},
  };
}
