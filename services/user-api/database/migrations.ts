import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const journal = z.object({
  entries: z.array(z.object({ tag: z.string(), when: z.number() })),
});

/** One migration: the name of its SQL file without the ending, and the time in milliseconds that orders it. */
export interface Migration {
  readonly name: string;
  readonly time: number;
}

/**
 * The folder of the SQL files. Run from source, `moduleUrl` is that of this file; bundled into one file, everything has the URL of
 * the bundle. Both have `migrations/` beside them: a build copies the folder there.
 *
 * @throws when it is not there, saying where it was looked for.
 */
export function findMigrationsDirectory(moduleUrl: string = import.meta.url): string {
  const directory = fileURLToPath(new URL('./migrations', moduleUrl));
  if (!existsSync(join(directory, 'meta', '_journal.json'))) {
    throw new Error(
      `There are no migrations in ${directory}. Copy services/user-api/database/migrations there: a bundle finds them beside itself.`,
    );
  }
  return directory;
}

/** The migrations of `directory`, in the order in which they apply. */
export function listMigrations(directory: string): readonly Migration[] {
  const text = readFileSync(join(directory, 'meta', '_journal.json'), 'utf8');
  return journal
    .parse(JSON.parse(text))
    .entries.map(({ tag, when }) => ({ name: tag, time: when }));
}
