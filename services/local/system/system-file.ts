import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { explainFileError } from '../process/directory.ts';
import { isAlive } from '../process/process-life.ts';

const runningSystem = z.object({
  apiUrl: z.url(),
  metricsUrl: z.url(),
  mailboxUrl: z.url(),
  processId: z.int().positive(),
});

/** Where a system of `npm start` is reached: URLs of the API (no slash at the end), its metrics and the mailbox, and the id of its process. */
export type RunningSystem = Readonly<z.infer<typeof runningSystem>>;

export function systemFile(directory: string): string {
  return join(directory, 'system.json');
}

/**
 * Publishes this system to other commands of this user.
 *
 * @returns a function that removes the file.
 * @throws `LocalFailure` when it cannot be written.
 */
export function publishSystem(directory: string, system: RunningSystem): () => void {
  const path = systemFile(directory);
  const remove = () => rmSync(path, { force: true });
  try {
    // A file that a killed system has left keeps its mode.
    remove();
    writeFileSync(path, `${JSON.stringify(system, undefined, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw explainFileError(error, 'write', path);
  }
  return remove;
}

/** The system that runs on this folder; null when none does. */
export function findSystem(directory: string): RunningSystem | null {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(systemFile(directory), 'utf8'));
  } catch {
    return null;
  }
  const { data } = runningSystem.safeParse(content);
  return data !== undefined && isAlive(data.processId) ? data : null;
}
