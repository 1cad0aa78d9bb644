import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalFailure } from '../local-failure.ts';
import type { StopPlan } from './process-life.ts';

/** Commands to the guardian process, one JSON text a line. */
export type GuardianOrder =
  | { readonly order: 'guard'; readonly processId: number; readonly plan: StopPlan }
  | { readonly order: 'release'; readonly processId: number }
  | { readonly order: 'remove-at-end'; readonly directory: string };

/**
 * A process that ends processes of this one if this one is killed, even by SIGKILL: it reads a pipe that only this process writes to, and the
 * pipe closes
 * with this process.
 */
export interface Guardian {
  readonly processId: number;
  /** Whether `close` was called: nothing may be started any more. */
  readonly isClosed: boolean;
  /** Ends `processId` by `plan` if this process is killed; in reverse order of these calls. */
  guard(processId: number, plan: StopPlan): void;
  /** Forgets a process that has ended. */
  release(processId: number): void;
  /** Creates a temporary folder, which is removed with its content when the guardian ends. */
  createTemporaryDirectory(prefix: string): string;
  /**
   * Ends what is still guarded, last started first, removes the temporary folders, and ends the guardian; then resolves. Also the way out of
   * an
   * interrupted start. Idempotent.
   */
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('./guardian-process.ts', import.meta.url));

/** @throws {LocalFailure} when no process can be started. */
export function startGuardian(): Guardian {
  const child = spawn(process.execPath, [PROGRAM], {
    // A session of its own: Ctrl-C and a closing terminal do not reach the guardian.
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    // Nothing else: NODE_OPTIONS for this process could stop the guardian from starting.
    env: {
      SystemRoot: process.env.SystemRoot,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    },
    windowsHide: true,
  });
  child.on('error', () => {});
  const { pid: processId } = child;
  if (processId === undefined) {
    throw new LocalFailure(
      `The process that ends the others, ${process.execPath}, could not be started.`,
      'See whether this machine has memory and process numbers left.',
    );
  }
  const ended = once(child, 'exit');
  // A killed guardian must not end what it guarded.
  child.stdin.on('error', () => {});
  // The guardian must not keep this process alive.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();

  let closed = false;

  function send(order: GuardianOrder): void {
    if (closed) return;
    child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  return {
    processId,
    get isClosed() {
      return closed;
    },
    guard: (processId, plan) => send({ order: 'guard', processId, plan }),
    release: (processId) => send({ order: 'release', processId }),
    createTemporaryDirectory(prefix) {
      const directory = mkdtempSync(join(tmpdir(), prefix));
      send({ order: 'remove-at-end', directory });
      return directory;
    },
    async close() {
      closed = true;
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}
