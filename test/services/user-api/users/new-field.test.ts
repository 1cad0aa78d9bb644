import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { authorization, type Caller, newUser, testEnvironment } from '../support/api.ts';
import { bundlePrograms, type Program, runProgram } from '../support/program.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** All that a developer writes for two new fields of users, by file: behind which line, and what. */
const additions = [
  {
    file: 'services/user-api/database/schema.ts',
    behind: / {4}status: text\(.*\n/,
    text: `    favouriteColour: varchar('favourite_colour', { length: 20 }).notNull().default('none'),
    isMember: boolean('is_member').notNull().default(false),
`,
  },
  { file: 'services/user-api/database/schema.ts', behind: /import \{\n/, text: '  boolean,\n' },
  {
    file: 'services/contracts/users.ts',
    behind: /export const userFields = \{\n(?: .*\n)*/,
    text: `  favouriteColour: z.string().max(20).default('none'),
  isMember: z.boolean().default(false),
`,
  },
];
const MIGRATION = `
  ALTER TABLE "users" ADD COLUMN "favourite_colour" varchar(20) DEFAULT 'none' NOT NULL;
  --> statement-breakpoint
  ALTER TABLE "users" ADD COLUMN "is_member" boolean DEFAULT false NOT NULL;
`;
/** Uses the client as a program does that knows the new fields. */
const CLIENT_PROGRAM = `
import { createClient } from './services/user-api/client/client.ts';
const client = createClient({ baseUrl: 'http://127.0.0.1' });
const { body } = await client.createUser({
  body: { name: 'Ada', email: 'ada@example.com', favouriteColour: 'green', isMember: true },
});
export const colour: string = body.favouriteColour;
export const isMember: boolean = body.isMember;
await client.updateUser({ parameters: { id: 1 }, body: { favouriteColour: 'red' } });
`;

/** The sources of the services, and nothing else, with the new fields. */
async function copyWithNewFields(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'headroom-new-field-'));
  const at = (path: string) => join(copy, path);
  await cp(join(root, 'services'), at('services'), { recursive: true });
  const { compilerOptions } = JSON.parse(await readFile(join(root, 'tsconfig.json'), 'utf8'));
  const configuration = { compilerOptions, files: ['program.ts', 'services/user-api/main.ts'] };
  await Promise.all([
    writeFile(at('tsconfig.json'), JSON.stringify(configuration)),
    symlink(join(root, 'node_modules'), at('node_modules')),
    cp(join(root, 'package.json'), at('package.json')),
    writeFile(at('program.ts'), CLIENT_PROGRAM),
  ]);
  for (const { behind, file, text } of additions) {
    const source = await readFile(at(file), 'utf8');
    const changed = source.replace(behind, (found) => found + text);
    if (changed === source) throw new Error(`${file} has no ${behind}`);
    await writeFile(at(file), changed);
  }
  const migrations = at('services/user-api/database/migrations');
  const journalFile = join(migrations, 'meta/_journal.json');
  const journal = JSON.parse(await readFile(journalFile, 'utf8'));
  const last = journal.entries.at(-1);
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag: '9999_new_fields' });
  await writeFile(journalFile, JSON.stringify(journal));
  await writeFile(join(migrations, '9999_new_fields.sql'), MIGRATION);
  return copy;
}

/** Compiles the client's program, and all that the service consists of. */
async function compile(copy: string): Promise<void> {
  const compiler = run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: copy });
  await compiler.catch(({ stdout }) => expect.fail(stdout));
}

interface Shown {
  readonly id: number;
  readonly favouriteColour?: string;
  readonly isMember?: boolean;
}

describeWithRedis(
  'a new field of users, with an entry in the schema, the contract and a migration',
  (redis) => {
    let copy: string;
    let database: TestDatabase;
    /** Begun at once, because it takes longest. */
    let compilation: Promise<void>;
    let programs: readonly Program[] = [];
    /** Two processes, so that one reads what the other has put into Redis. */
    let urls: readonly string[];

    beforeAll(async () => {
      [copy, database] = await Promise.all([copyWithNewFields(), createMigratedDatabase()]);
      compilation = compile(copy);
      compilation.catch(() => {});
      const bundle = await bundlePrograms(join(copy, 'bundle'), copy);
      const environment = await testEnvironment({ database, redisUrl: redis().url });
      expect(await runProgram(join(bundle, 'migrate.mjs'), environment).exited).toBe(0);
      programs = [0, 1].map(() => runProgram(join(bundle, 'main.mjs'), environment));
      const ports = await Promise.all(programs.map((program) => program.ready()));
      urls = ports.map((port) => `http://127.0.0.1:${port}`);
    }, 120_000);
    afterAll(async () => {
      for (const { process } of programs) process.kill('SIGKILL');
      await Promise.all(programs.map(({ exited }) => exited));
      await database.drop();
      await rm(copy, { recursive: true });
    });

    interface Call {
      readonly body?: unknown;
      readonly as?: Caller;
      readonly headers?: Readonly<Record<string, string>>;
      readonly process?: number;
    }

    async function call<Body = Shown>(
      method: string,
      path: string,
      { as = 'admin', body, headers, process = 0 }: Call = {},
    ): Promise<{ readonly body: Body; readonly headers: Headers }> {
      const response = await fetch(urls[process] + path, {
        method,
        headers: {
          authorization: await authorization(as),
          'content-type': 'application/json',
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
      return { body: (await response.json()) as Body, headers: response.headers };
    }

    const USERS = '/api/v1/users';
    const fields = { favouriteColour: 'green', isMember: true };
    const create = async (headers = {}, body: object = newUser(fields)) =>
      await call('POST', USERS, { body, headers });

    it('is in the response to a creation, and in what caches and the database have of it', async () => {
      const { id, ...created } = (await create()).body;
      expect(created).toMatchObject(fields);
      const path = `${USERS}/${id}`;
      for (const process of [0, 1, 1]) {
        expect((await call('GET', path, { process })).body).toMatchObject(fields);
        expect(await (await fetch(urls[process] + path)).json()).toMatchObject(fields);
      }
      expect(
        (await call<{ user: Shown }>('GET', '/api/v1/auth/me', { as: id })).body.user,
      ).toMatchObject(fields);
      const exported = await call<{ user: Shown }>('GET', `${path}/export`);
      expect(exported.body.user).toMatchObject(fields);
    });

    it('survives creations that share a statement', async () => {
      const created = await Promise.all(
        Array.from({ length: 40 }, async () => (await create()).body),
      );
      for (const user of created) expect(user).toMatchObject(fields);
      const client = postgres(database.writerUrl, { max: 1 });
      const shared = await client`
      select xmin from users where favourite_colour = 'green' and is_member
      group by xmin having count(*) > 1`;
      await client.end();
      expect(shared.length, 'statements that created several').toBeGreaterThan(0);
    });

    it('survives a creation with an Idempotency-Key, and its repetition', async () => {
      const body = newUser(fields);
      const headers = { 'idempotency-key': 'key-of-the-new-field' };
      expect((await create(headers, body)).body).toMatchObject(fields);
      const repeated = await create(headers, body);
      expect(repeated.headers.get('idempotent-replayed')).toBe('true');
      expect(repeated.body).toMatchObject(fields);
    });

    it('is changed by PUT and PATCH, and stays when a change leaves it out', async () => {
      const { body: user } = await create();
      const path = `${USERS}/${user.id}`;
      const patch = async (body: object) => (await call('PATCH', path, { body })).body;
      expect(await patch({ name: 'Ada King' })).toMatchObject(fields);
      const other = { favouriteColour: 'red', isMember: false };
      expect(await patch(other)).toMatchObject({ name: 'Ada King', ...other });
      const replacement = newUser({ status: 'active', ...fields });
      expect((await call('PUT', path, { body: replacement })).body).toMatchObject(fields);
      const read = await call('GET', path, { process: 1 });
      expect(read.body).toMatchObject(fields);
    });

    it('is in every kind of list', async () => {
      const { id } = (await create({}, newUser({ ...fields, name: 'Zuse' }))).body;
      for (const query of [
        'name_prefix=Zuse',
        'sort=-created_at',
        'page=1&sort=-created_at',
        'status=active&sort=-created_at',
      ]) {
        const { body } = await call<{ data: Shown[] }>('GET', `${USERS}?${query}`);
        expect(
          body.data.find((user) => user.id === id),
          query,
        ).toMatchObject(fields);
      }
    });

    it('has its default in the demo data', async () => {
      const empty = await createMigratedDatabase();
      await runProgram(join(copy, 'bundle/migrate.mjs'), { DATABASE_URL: empty.writerUrl }).exited;
      const client = postgres(empty.writerUrl, { max: 1 });
      try {
        // Another default of the table than that of the contract tells which of them it was.
        await client`alter table users alter column favourite_colour set default 'of the table'`;
        const demoData = join(copy, 'services/user-api/users/demo-data.ts');
        const insert = `import { insertDemoUsers } from ${JSON.stringify(demoData)}; await insertDemoUsers(${JSON.stringify(empty.writerUrl)});`;
        await run(process.execPath, ['--input-type=module', '--eval', insert], { cwd: copy });
        const counts =
          await client`select favourite_colour as colour, count(*)::int from users group by 1`;
        expect(counts).toEqual([{ colour: 'none', count: 1_000 }]);
      } finally {
        await client.end();
        await empty.drop();
      }
    });

    it('is in each schema of the OpenAPI document that has fields of users', async () => {
      const { body } = await call<{
        components: { schemas: Record<string, { properties: object; required: string[] }> };
      }>('GET', '/openapi.json');
      const { schemas } = body.components;
      for (const name of ['CreateUser', 'ReplaceUser', 'UpdateUser', 'User', 'VisibleUser']) {
        expect(Object.keys(schemas[name]?.properties ?? {}), name).toEqual(
          expect.arrayContaining(Object.keys(fields)),
        );
      }
      expect(schemas.CreateUser?.required).toEqual(['name', 'email']);
      expect(schemas.ReplaceUser?.required).toEqual(expect.arrayContaining(Object.keys(fields)));
      expect(schemas.User?.required).toEqual(expect.arrayContaining(Object.keys(fields)));
    });

    it('is known to the typed client, and to the compiler in all that the service consists of', async () => {
      await compilation;
    }, 120_000);
  },
);
