import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isErrorWithCode } from './process-life.ts';

/**
 * Makes a folder and those above it. Not `mkdirSync(…, { recursive: true })`: where a file system answers ENOENT to a parent that exists, as /proc
 * does, that never returns.
 * @throws the file system's error of the first folder that cannot be made.
 */
export function makeDirectory(directory: string): void {
  const missing: string[] = [];
  let path = resolve(directory);
  while (!existsSync(path) && path !== dirname(path)) {
    missing.unshift(path);
    path = dirname(path);
  }
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process has made it since.
      if (!isErrorWithCode(error, 'EEXIST')) throw error;
    }
  }
}
