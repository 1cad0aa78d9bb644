import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type BuildAppOptions, buildApp } from 'fauxqs';
import { HOSTS_ALLOWED, isAddressedDirectly } from '../../contracts/host-check.ts';
import { LocalFailure } from '../local-failure.ts';
import { isErrorWithCode } from '../process/process-life.ts';

type Stores = NonNullable<BuildAppOptions['stores']>;
type SqsStore = Stores['sqsStore'];
type Persistence = NonNullable<SqsStore['persistence']>;

export interface FauxqsOptions {
  /** Folder for queues and messages; undefined keeps them in memory. */
  readonly directory?: string;
  /** Port on the loopback address; 0 takes any free one. */
  readonly port: number;
  readonly region: string;
}

export interface Fauxqs {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** The account that fauxqs says its queues belong to. */
const ACCOUNT = '000000000000';

/**
 * Starts fauxqs, an SQS server, on loopback only. Its own `startFauxqs` listens on every address and its `buildApp` keeps nothing, so the
 * parts are
 * composed here.
 *
 * @throws {LocalFailure} when the port is taken or the stored queues cannot be read.
 */
export async function startFauxqs(options: FauxqsOptions): Promise<Fauxqs> {
  const { SqsStore, SnsStore, S3Store, PersistenceManager } = await loadParts();
  const stores: Stores = {
    sqsStore: new SqsStore(),
    snsStore: new SnsStore(),
    s3Store: new S3Store(),
  };
  stores.sqsStore.region = options.region;
  // With a host, queue URLs get names such as sqs.<region>.<host>, which do not resolve everywhere; without one they
  // get the address that the request came to.
  stores.sqsStore.host = '';
  const app = buildApp({ logger: false, stores });
  // Before a body is read: fauxqs does not authenticate, so a page whose name resolves to this machine could read every message.
  app.addHook('onRequest', async (request, reply) => {
    if (isAddressedDirectly(request.headers.host)) return;
    const detail = `Ask for ${HOSTS_ALLOWED}: the Host field names another.`;
    await reply
      .code(421)
      .type('application/problem+json')
      .send({ title: 'Misdirected Request', status: 421, detail });
  });
  let persistence: Persistence | undefined;
  async function stop(): Promise<void> {
    await app.close();
    // After the last request: acknowledged messages must be stored.
    persistence?.close();
    persistence = undefined;
  }

  try {
    const endpoint = await app.listen({ port: options.port, host: LOOPBACK });
    if (options.directory !== undefined) {
      persistence = openKept(
        options.directory,
        endpoint,
        options.region,
        stores,
        PersistenceManager,
      );
    }
    return { endpoint, stop };
  } catch (error) {
    await stop();
    if (isErrorWithCode(error, 'EADDRINUSE')) {
      throw new LocalFailure(
        `Port ${options.port}, asked for SQS, is taken by another program.`,
        'Stop that program, or ask for another port; 0 takes any free one.',
        { cause: error },
      );
    }
    throw error;
  }
}

function openKept(
  directory: string,
  endpoint: string,
  region: string,
  stores: Stores,
  PersistenceManager: Parts['PersistenceManager'],
): Persistence {
  const file = join(directory, 'fauxqs.db');
  try {
    moveQueues(file, endpoint, region);
    const persistence = new PersistenceManager(directory);
    // Loaded before the stores know of it, or they would write back each row that they read.
    persistence.load(stores.sqsStore, stores.snsStore, stores.s3Store);
    stores.sqsStore.persistence = persistence;
    for (const queue of stores.sqsStore.allQueues()) queue.persistence = persistence;
    return persistence;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LocalFailure(
      `The queues kept in ${file} cannot be read: ${why}.`,
      'Run `npm run reset` to wipe the local data and start again.',
      { cause: error },
    );
  }
}

/** Stored queues have absolute URLs and ARNs, with the port and region of an earlier start. */
function moveQueues(file: string, endpoint: string, region: string): void {
  if (!existsSync(file)) return;
  const database = new DatabaseSync(file);
  try {
    const [table] = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'sqs_queues'")
      .all();
    if (!table) return;
    database
      .prepare('UPDATE sqs_queues SET url = ? || name, arn = ? || name')
      .run(`${endpoint}/${ACCOUNT}/`, `arn:aws:sqs:${region}:${ACCOUNT}:`);
  } finally {
    database.close();
  }
}

interface Parts {
  readonly SqsStore: new () => SqsStore;
  readonly SnsStore: new () => Stores['snsStore'];
  readonly S3Store: new () => Stores['s3Store'];
  readonly PersistenceManager: new (directory: string) => Persistence;
}

/** Loads parts that fauxqs does not export, from their files. Its version is pinned, and tests fail when an upgrade moves them. */
async function loadParts(): Promise<Parts> {
  const packageFile = findPackageJSON('fauxqs', import.meta.url);
  if (packageFile === undefined) {
    throw new LocalFailure('SQS is missing: the package fauxqs is not installed.', 'Run `npm ci`.');
  }
  const load = (file: string) => import(new URL(file, pathToFileURL(packageFile)).href);
  const [sqs, sns, s3, kept] = await Promise.all([
    load('./dist/sqs/sqsStore.js'),
    load('./dist/sns/snsStore.js'),
    load('./dist/s3/s3Store.js'),
    load('./dist/persistence.js'),
  ]);
  return { ...sqs, ...sns, ...s3, ...kept };
}
