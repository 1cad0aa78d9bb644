import { resolve } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { type DirectoryLock, lockDirectory } from '../process/directory-lock.ts';
import { isErrorWithCode } from '../process/process-life.ts';
import { type Fauxqs, type FauxqsOptions, startFauxqs } from './fauxqs.ts';
import { createQueues, type QueueDefinition, type QueueUrls } from './queues.ts';

export interface SqsOptions<Name extends string> {
  /** Folder for queues and messages. @default in memory */
  readonly directory?: string;
  /** A required port; 0 takes any free one. @default 14566 with a folder, or any free one when it is taken */
  readonly port?: number;
  /** Region that the queues are in. @default us-east-1 */
  readonly region?: string;
  /** Queues to have; the attributes of those kept from before are brought up to date. */
  readonly queues: readonly (QueueDefinition & { readonly name: Name })[];
}

export interface Sqs<Name extends string> {
  readonly endpoint: string;
  readonly region: string;
  /** URLs by the name of the definition. */
  readonly queues: Readonly<Record<Name, QueueUrls>>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Near fauxqs's own 4566, which LocalStack uses, too. A port that stays the same keeps queue URLs the same. */
const PREFERRED_PORT = 14_566;
const DEFAULT_REGION = 'us-east-1';

/**
 * Starts SQS in this process, on the loopback address.
 * @throws {LocalFailure} when the port is taken, or the folder cannot be used or is in use.
 */
export async function startSqs<Name extends string>(options: SqsOptions<Name>): Promise<Sqs<Name>> {
  const region = options.region ?? DEFAULT_REGION;
  const directory = options.directory === undefined ? undefined : resolve(options.directory);
  const lock: DirectoryLock | undefined =
    directory === undefined ? undefined : lockDirectory(directory);
  try {
    const fauxqs = await startOnPort(options.port, {
      region,
      ...(directory !== undefined && { directory }),
    });
    try {
      return {
        endpoint: fauxqs.endpoint,
        region,
        queues: await createQueues(fauxqs.endpoint, options.queues),
        async stop() {
          await fauxqs.stop();
          lock?.release();
        },
      };
    } catch (error) {
      await fauxqs.stop();
      throw error;
    }
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** Without a required port, a port that another program takes is no failure, even between the check and the start. */
async function startOnPort(
  required: number | undefined,
  options: Omit<FauxqsOptions, 'port'>,
): Promise<Fauxqs> {
  if (required !== undefined) return await startFauxqs({ ...options, port: required });
  if (options.directory === undefined) return await startFauxqs({ ...options, port: 0 });
  try {
    return await startFauxqs({ ...options, port: PREFERRED_PORT });
  } catch (error) {
    if (!(error instanceof LocalFailure && isErrorWithCode(error.cause, 'EADDRINUSE'))) throw error;
    return await startFauxqs({ ...options, port: 0 });
  }
}
