import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { z } from 'zod';

const journal = z.object({
  entries: z.array(z.object({ tag: z.string(), when: z.number() })),
});

/** The first line of a migration that cannot run in a transaction, such as one that builds an index concurrently. */
export const OUTSIDE_TRANSACTION = '-- outside a transaction';

/** One migration: a SQL file. */
export interface Migration {
  /** The file's name without the ending. */
  readonly name: string;
  /** The time in milliseconds that orders it. */
  readonly time: number;
  /** SHA-256 of the file, as drizzle-orm records it. */
  readonly hash: string;
  readonly statements: readonly string[];
  /** False where the first line is {@link OUTSIDE_TRANSACTION}. */
  readonly inTransaction: boolean;
}

/** A migration is not safe to apply. Nothing has been applied. */
export class UnsafeMigration extends Error {
  override readonly name = 'UnsafeMigration';
}

/**
 * The folder of the SQL files: beside this file, or beside the bundle, where the build copies it.
 *
 * @throws when it does not exist, with its path.
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

/**
 * The migrations of `directory`, in the order in which they apply.
 *
 * @throws {@link UnsafeMigration}
 */
export function listMigrations(directory: string): readonly Migration[] {
  const { entries } = journal.parse(
    JSON.parse(readFileSync(join(directory, 'meta', '_journal.json'), 'utf8')),
  );
  const files = readMigrationFiles({ migrationsFolder: directory });
  return entries.map(({ tag: name, when: time }, index) => {
    const { hash, sql } = files[index] ?? { hash: '', sql: [] };
    const statements = sql.map((text) => text.trim()).filter((text) => text !== '');
    const inTransaction = !statements[0]?.startsWith(OUTSIDE_TRANSACTION);
    if (!inTransaction) requireRepeatable(name, statements.map(withoutComments));
    return { name, time, hash, statements, inTransaction };
  });
}

function withoutComments(statement: string): string {
  return statement
    .replace(/^\s*--.*$/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}

const IDENTIFIER = '("[^"]+"|\\w+)';
const CREATE_INDEX = new RegExp(`^create (?:unique )?index concurrently ${IDENTIFIER} on `, 'i');
const DROP_INDEX = new RegExp(`^drop index concurrently if exists ${IDENTIFIER};?$`, 'i');
const VALIDATE_CONSTRAINT = new RegExp(
  `^alter table (?:only )?${IDENTIFIER} validate constraint ${IDENTIFIER};?$`,
  'i',
);
const unquoted = (identifier = '') => identifier.replaceAll('"', '');

/**
 * A migration outside a transaction may stop half-way, and then runs again from its beginning: so its statements must be repeatable. An interrupted
 * build leaves an invalid index, which `if not exists` would keep: so the index is dropped first.
 */
function requireRepeatable(name: string, statements: readonly string[]): void {
  const dropped = new Set<string>();
  for (const statement of statements) {
    const [, toDrop] = DROP_INDEX.exec(statement) ?? [];
    if (toDrop !== undefined) {
      dropped.add(unquoted(toDrop));
      continue;
    }
    const [, toCreate] = CREATE_INDEX.exec(statement) ?? [];
    if (toCreate === undefined) {
      if (VALIDATE_CONSTRAINT.test(statement)) continue;
      throw new UnsafeMigration(
        `${name}.sql runs outside a transaction and has "${statement.slice(0, 80)}"; such a file takes create index concurrently, drop index concurrently if exists, and alter table … validate constraint. Put the rest into a migration of its own.`,
      );
    }
    if (!dropped.has(unquoted(toCreate))) {
      throw new UnsafeMigration(
        `${name}.sql builds ${toCreate} outside a transaction; put "drop index concurrently if exists ${toCreate};" before it, because an interrupted build leaves an invalid index.`,
      );
    }
  }
}
