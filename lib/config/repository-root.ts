import { resolve } from 'node:path';

/** Root of the repository: entries, Dockerfiles and folders of the configuration are relative to it. */
export const repositoryRoot = resolve(import.meta.dirname, '../..');
