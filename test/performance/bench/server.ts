import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Guardian } from '../../../services/local/process/guardian.ts';
import { findFreePort } from '../../../services/local/process/ports.ts';
import { waitUntilReady } from '../../../services/local/process/readiness.ts';
import { startProcess } from '../../../services/local/process/supervised-process.ts';
import { type Cores, pinned } from './cores.ts';
import { commonVariables, type Subject } from './subjects.ts';
import type { Addresses } from './surroundings.ts';

/** A server that is being measured. */
export interface SubjectServer {
  /** Such as `http://127.0.0.1:3000`. */
  readonly origin: string;
  /** Of the server and its workers, and of nothing else. */
  readonly processGroup: number;
  /** The last lines that it logged. */
  lastLogLines(count: number): string[];
  /** Ends it, and with it its log. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MILLISECONDS = 30_000;
const READY_STATUS_BELOW = 500;

/**
 * Starts a subject in a process of its own, pinned to `cores`.
 *
 * @throws `LocalFailure` when it does not start, with the last lines of its log.
 */
export async function startServer(options: {
  readonly subject: Subject;
  readonly addresses: Addresses;
  readonly cores: Cores;
  /** Cores that it may use. */
  readonly on: readonly number[];
  readonly guardian: Guardian;
}): Promise<SubjectServer> {
  const { subject, addresses, cores, guardian } = options;
  const directory = guardian.createTemporaryDirectory('headroom-bench-server-');
  const environment = {
    ...commonVariables(addresses, await findFreePort()),
    ...subject.environment,
  };
  if (subject.emptyDirectoryVariable !== undefined) {
    const empty = join(directory, 'empty');
    mkdirSync(empty);
    Object.assign(environment, { [subject.emptyDirectoryVariable]: empty });
  }
  const supervised = await startProcess({
    name: subject.name,
    ...pinned(cores, options.on, subject.command, subject.arguments),
    environment,
    workingDirectory: directory,
    // As a container's output goes to a file on its host.
    logFile: join(directory, 'server.log'),
    guardian,
    stopTimeoutMilliseconds: 5_000,
  });
  const origin = `http://127.0.0.1:${environment.PORT}`;
  try {
    await waitUntilReady(supervised, {
      isReady: () => responses(`${origin}${subject.readyPath}`),
      timeoutMilliseconds: READY_TIMEOUT_MILLISECONDS,
    });
  } catch (error) {
    await supervised.stop();
    throw error;
  }
  return {
    origin,
    processGroup: supervised.processId,
    lastLogLines: supervised.lastLogLines,
    async stop() {
      await supervised.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function responses(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status < READY_STATUS_BELOW;
  } catch {
    return false;
  }
}
