import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';
import type { Logger } from '../observability/logger.ts';

/** The files contain secrets and personal data: readable only by the user that the service runs as. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** The names that files are given, and all that is ever read from the folder. */
const FILE_NAME = /^(heap|cpu)-[\w.-]+\.(heapsnapshot|cpuprofile)$/;

export interface DiagnosticFile {
  /** Name in the folder. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Another snapshot or profile is in progress: two at once would show each other. */
export class DiagnosticsBusy extends Error {
  override readonly name = 'DiagnosticsBusy';
}

/** The file could not be written. */
export class DiagnosticsFailed extends Error {
  override readonly name = 'DiagnosticsFailed';
}

/** Takes heap snapshots and CPU profiles of this process, into a folder. */
export class Diagnostics {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #inFlight = false;

  /** @param directory - made when it is not there. */
  constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
  }

  /**
   * Writes what is in memory to a `.heapsnapshot`, for Chrome's developer tools. The process serves nothing meanwhile, about a second for
   * each 100 MB, and needs as much memory again.
   *
   * @throws {@link DiagnosticsBusy}, {@link DiagnosticsFailed}
   */
  heapSnapshot(): Promise<DiagnosticFile> {
    return this.#take('heap', 'heapsnapshot', () => getHeapSnapshot());
  }

  /**
   * Watches for `seconds` where the time goes, and writes it to a `.cpuprofile`, for Chrome's developer tools. Requests are answered
   * meanwhile, a little slower. When the service stops first, the profile ends there.
   *
   * @throws {@link DiagnosticsBusy}, {@link DiagnosticsFailed}
   */
  cpuProfile(seconds: number): Promise<DiagnosticFile> {
    return this.#take('cpu', 'cpuprofile', async () => {
      const session = new Session();
      session.connect();
      try {
        await session.post('Profiler.enable');
        await session.post('Profiler.start');
        // Ends early, without an error, when the service stops.
        await wait(seconds * 1_000, undefined, { signal: this.#closing.signal }).catch(() => {});
        const { profile } = await session.post('Profiler.stop');
        return Readable.from([JSON.stringify(profile)]);
      } finally {
        session.disconnect();
      }
    });
  }

  /** @returns a file's bytes, or null when it is none that was taken here. */
  async read(name: string): Promise<Readable | null> {
    if (!FILE_NAME.test(name)) return null;
    const path = join(this.#directory, name);
    const found = await stat(path).catch(() => null);
    return found?.isFile() === true ? createReadStream(path) : null;
  }

  /** Ends a profile that is in flight. */
  close(): void {
    this.#closing.abort();
  }

  async #take(
    kind: 'heap' | 'cpu',
    extension: string,
    take: () => Readable | Promise<Readable>,
  ): Promise<DiagnosticFile> {
    if (this.#inFlight) {
      throw new DiagnosticsBusy('Another heap snapshot or CPU profile is being taken');
    }
    this.#inFlight = true;
    try {
      const time = new Date().toISOString().replaceAll(':', '-');
      const file = await this.#write(`${kind}-${time}-${process.pid}.${extension}`, take);
      this.#logger.warn({ file: file.path, bytes: file.bytes }, `Diagnostics taken: ${kind}`);
      return file;
    } finally {
      this.#inFlight = false;
    }
  }

  async #write(name: string, take: () => Readable | Promise<Readable>): Promise<DiagnosticFile> {
    const path = join(this.#directory, name);
    const partial = `${path}.partial`;
    try {
      await mkdir(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
      // Opened before there is anything to write, so that a folder that cannot be written to costs no pause.
      const output = createWriteStream(partial, { flags: 'wx', mode: FILE_MODE });
      await new Promise<void>((resolve, reject) => {
        output.once('open', () => resolve());
        output.once('error', reject);
      });
      await pipeline(await take(), output);
      await rename(partial, path);
      return { name, path, bytes: (await stat(path)).size };
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {});
      const reason = error instanceof Error ? error.message : String(error);
      throw new DiagnosticsFailed(
        `The folder ${this.#directory} (DIAGNOSTICS_DIRECTORY) did not take the file: ${reason}`,
        { cause: error },
      );
    }
  }
}
