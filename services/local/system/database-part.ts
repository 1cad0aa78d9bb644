import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import type { LocalFailure } from '../local-failure.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { scramVerifier } from '../postgres/scram-verifier.ts';
import type { Guardian } from '../process/guardian.ts';
import type { LocalDirectories } from './directory.ts';
import type { Programs } from './programs.ts';
import type { RunningPart } from './running-part.ts';
import { withoutPassword } from './screen.ts';
import type { Settings } from './settings.ts';

export interface DatabaseUrls {
  readonly writer: string;
  readonly readers: readonly string[];
}

export interface DatabasePart extends RunningPart {
  /** Of each role that a service or a worker logs in as. */
  readonly urls: Readonly<Record<string, DatabaseUrls>>;
  /** Whether this start inserted the demo users. */
  readonly demoUsersInserted: boolean;
  /** Null where no administrator is known. */
  readonly administrator: Login | null;
}

/** Login of the API. */
export interface Login {
  readonly email: string;
  readonly password: string;
}

interface DatabasePartOptions {
  readonly settings: Settings;
  readonly directories: LocalDirectories;
  readonly programs: Programs;
  /** Of the demo administrator. */
  readonly administratorPassword: string;
  readonly guardian: Guardian;
  readonly onProgress: (message: string) => void;
  readonly onFailure: (failure: LocalFailure) => void;
}

const DATABASE = 'headroom';

/**
 * The PostgreSQL of the settings, or one started here; migrated either way. Only one started here gets logins and demo users: a developer's
 * own
 * database gets nothing but tables.
 */
export async function startDatabasePart(options: DatabasePartOptions): Promise<DatabasePart> {
  const { settings, programs, onProgress } = options;
  if (settings.database === undefined) return await startEmbedded(options);
  const { writerUrl, readerUrls } = settings.database;
  onProgress(`Migrating ${withoutPassword(writerUrl)}`);
  await programs.migrate(writerUrl);
  return {
    urls: Object.fromEntries(
      roles(programs).map((role) => [role, { writer: writerUrl, readers: readerUrls }]),
    ),
    demoUsersInserted: false,
    administrator: null,
    line: {
      name: 'PostgreSQL',
      where: `${withoutPassword(writerUrl)} (DATABASE_URL)`,
      notes: readerUrls.map((url) => `${withoutPassword(url)} (DATABASE_READER_URLS)`),
    },
    stop: async () => {},
  };
}

async function startEmbedded(options: DatabasePartOptions): Promise<DatabasePart> {
  const { directories, programs, guardian, onProgress, onFailure } = options;
  const server = await startPostgres({
    directory: directories.postgres,
    database: DATABASE,
    durable: true,
    guardian,
    onProgress,
    onUnexpectedExit: onFailure,
  });
  try {
    const { primary, replica } = server;
    onProgress('PostgreSQL primary and replica are up; migrating');
    // As its owner, who may create roles only, like the master user of RDS.
    await programs.migrate(primary.url);
    const owner = postgres(primary.url, { max: 1, onnotice: () => {} });
    try {
      const urls: Record<string, DatabaseUrls> = {};
      for (const role of roles(programs)) {
        const password = await giveLogin(owner, role);
        const [writer, reader] = [primary, replica].map(({ url }) =>
          withLogin(url, role, password),
        );
        urls[role] = { writer: writer ?? '', readers: [reader ?? ''] };
      }
      const demoUsersInserted = await programs.insertDemoUsers(primary.url);
      if (demoUsersInserted) onProgress('Inserted the demo users, ids 1 to 1,000');
      const password = options.administratorPassword;
      const email = await programs.ensureDemoAdministrator(primary.url, password);
      return {
        urls,
        demoUsersInserted,
        administrator: email === null ? null : { email, password },
        line: {
          name: 'PostgreSQL',
          where: `127.0.0.1:${primary.port} primary, 127.0.0.1:${replica.port} streaming replica`,
          notes: [`psql ${primary.url}`],
        },
        stop: () => server.stop(),
      };
    } finally {
      await owner.end({ timeout: 1 });
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The roles that services and workers log in as, each once. */
function roles({ userApi, furtherServices, workers }: Programs): string[] {
  const programs = [userApi, ...furtherServices, ...workers];
  return [...new Set(programs.flatMap(({ databaseUser = [] }) => databaseUser))];
}

/** The variables of a program's login; none without a role, which has no access to the database on AWS either. */
export function databaseEnvironment(
  { name, databaseUser }: { readonly name: string; readonly databaseUser?: string },
  urls: DatabasePart['urls'],
): Record<string, string> {
  if (databaseUser === undefined) return {};
  const login = urls[databaseUser];
  if (login === undefined) throw new Error(`${name} has no login as ${databaseUser}`);
  return { DATABASE_URL: login.writer, DATABASE_READER_URLS: login.readers.join(',') };
}

/** Gives a role a password for this run. Programs log in with their rights on AWS, so that a missing grant is noticed here. */
async function giveLogin(owner: postgres.Sql, role: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  // A utility statement takes no parameters: the text has a verifier, not the password.
  await owner.unsafe(`alter role "${role}" login password '${scramVerifier(password)}'`);
  return password;
}

function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
}
