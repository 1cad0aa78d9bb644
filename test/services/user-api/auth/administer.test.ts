import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administer, userApiCommand } from '../../../../services/user-api/administer.ts';
import { deriveSigningKeySet } from '../../../../services/user-api/auth/tokens/derived-signing-keys.ts';
import { KeyRing } from '../../../../services/user-api/auth/tokens/key-ring.ts';
import { createSigningKeySet } from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import { parseSigningKeySet } from '../../../../services/user-api/auth/tokens/signing-keys.ts';
import {
  createDatabase,
  createMigratedDatabase,
  type TestDatabase,
} from '../../../support/database.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const SERVICE_SECRET = 'a secret of tests, with enough characters';
const HOUR_MILLISECONDS = 3_600_000;

async function run(
  words: string,
  environment: Readonly<Record<string, string>> = {},
  command: typeof administer = administer,
) {
  let printed = '';
  let said = '';
  const code = await command(words.split(' '), {
    environment,
    print: (text) => {
      printed += text;
    },
    say: (text) => {
      said += `${text}\n`;
    },
  });
  return { code, printed, said };
}

describe('appoint-administrator', () => {
  let database: TestDatabase;
  let sql: Sql;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = postgres(database.writerUrl, { max: 1 });
    await sql`insert into users (name, email) values ('Grace', 'grace@example.com')`;
  });
  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  it('makes the user an administrator and asks for the link to a new password', async () => {
    const { code, said } = await run('appoint-administrator GRACE@example.com', {
      DATABASE_URL: database.writerUrl,
    });

    expect(said).toMatch(/^User 1 is an administrator\./);
    expect(code).toBe(0);
    expect(await sql`select role from accounts where user_id = 1`).toEqual([{ role: 'admin' }]);
    const events = await sql`select type from outbox`;
    expect(events).toEqual([{ type: 'user.password-reset-requested' }]);
  });

  it('as a program, does the same for nobody, and says so with 1', async () => {
    const program = promisify(execFile)(
      process.execPath,
      ['bin/run.mjs', 'administer', 'appoint-administrator', 'nobody@example.com'],
      { cwd: root, env: { PATH: process.env.PATH, DATABASE_URL: database.writerUrl } },
    );
    await expect(program).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'No active user has this email address. Create the user first.\n',
    });
  });

  it.each([
    ['no database named', () => ({}), /^DATABASE_URL is not set; it takes a URL/],
    [
      'nobody there',
      () => ({ DATABASE_URL: 'postgres://a:secret@127.0.0.1:1/x' }),
      /ECONNREFUSED.*\nStart PostgreSQL there/s,
    ],
    [
      'a reader',
      () => ({ DATABASE_URL: database.readerUrl }),
      /names a reader; it takes the writer/,
    ],
  ])('with %s, ends with 1 and a remedy', async (_what, environment, message) => {
    const { code, printed, said } = await run(
      'appoint-administrator grace@example.com',
      environment(),
    );
    expect(said).toMatch(message);
    expect(said).not.toContain('secret');
    expect([code, printed]).toEqual([1, '']);
  });

  it('on a database that was not migrated, says what to do', async () => {
    const empty = await createDatabase();
    const { code, said } = await run('appoint-administrator a@example.com', {
      DATABASE_URL: empty.writerUrl,
    });
    await empty.drop();
    expect([code, said]).toEqual([1, expect.stringContaining('Migrate the database first')]);
  });
});

describe('the commands about signing keys', () => {
  it('create a set that signs at once', async () => {
    const { code, printed } = await run('create-signing-keys');
    const set = parseSigningKeySet(printed);
    expect(code).toBe(0);
    expect(set.keys).toHaveLength(1);
    expect((await KeyRing.open(set)).signer(Date.now()).kid).toBe(set.keys[0]?.kid);
  });

  it.each([
    [
      'that was given',
      async () => ({ ACCESS_TOKEN_KEYS: JSON.stringify(await createSigningKeySet()) }),
    ],
    ['that is derived', async () => ({ SERVICE_SECRET })],
  ])(
    'rotate a key %s: it signs until the lead is over, and the new one then',
    async (_what, make) => {
      const environment: Readonly<Record<string, string>> = await make();
      const former =
        environment.ACCESS_TOKEN_KEYS === undefined
          ? deriveSigningKeySet(SERVICE_SECRET)
          : parseSigningKeySet(environment.ACCESS_TOKEN_KEYS);
      const { printed } = await run('rotate-signing-keys --lead-hours 2', environment);
      const next = parseSigningKeySet(printed);
      const ring = await KeyRing.open(next);

      expect(next.keys.map(({ kid }) => kid)).toContain(former.keys[0]?.kid);
      expect(ring.signer(Date.now() + HOUR_MILLISECONDS).kid).toBe(former.keys[0]?.kid);
      expect(ring.signer(Date.now() + 3 * HOUR_MILLISECONDS).kid).toBe(next.keys[1]?.kid);

      const again = await run('rotate-signing-keys', { ACCESS_TOKEN_KEYS: printed });
      expect([again.code, again.printed]).toEqual([1, '']);
      expect(again.said).toContain('is on its way already');
    },
  );

  it('show which key does what, and nothing secret', async () => {
    const { printed: keys } = await run('rotate-signing-keys', { SERVICE_SECRET });
    const { printed, said } = await run('show-signing-keys', { ACCESS_TOKEN_KEYS: keys });

    const [first = '', second = ''] = printed.split('\n');
    const [former, coming] = parseSigningKeySet(keys).keys;
    expect(first).toMatch(new RegExp(`^${former?.kid}  signs now; .*, verifies until 20`));
    expect(second).toMatch(new RegExp(`^${coming?.kid}  coming; .*, verifies until replaced$`));
    for (const key of [former, coming]) expect(printed + said).not.toContain(key?.d);
  });

  it('name the variable that they miss, and keep what is in it to themselves', async () => {
    expect((await run('rotate-signing-keys')).said).toContain('SERVICE_SECRET is not set');
    const wrong = await run('rotate-signing-keys', {
      ACCESS_TOKEN_KEYS: '{"keys":[{"d":"hush"}]}',
    });
    expect(wrong.code).toBe(1);
    expect(wrong.said).toContain('ACCESS_TOKEN_KEYS');
    expect(wrong.said).not.toContain('hush');
  });
});

describe('a command line', () => {
  it.each(['administor', '--hepl', 'administer show-signing-key', 'administer --hepl'])(
    'of the image, %s, ends with 2 and names the nearest that there is',
    async (words) => {
      const { code, said } = await run(words, {}, userApiCommand);
      expect(said).toMatch(/^error: .*\n\(Did you mean .*\?\)\n\nUsage: user-api/);
      expect(code).toBe(2);
    },
  );

  it.each([
    ['of nothing known', 'rotate', /unknown command 'rotate'/],
    ['nearly of one', 'show-signing-key', /Did you mean show-signing-keys\?/],
    ['of a name that objects have', 'constructor', /unknown command 'constructor'/],
    ['without the address', 'appoint-administrator', /missing required argument 'email'/],
    ['with too much', 'create-signing-keys now', /too many arguments for 'create-signing-keys'/],
    ['with an option of nothing', 'rotate-signing-keys --soon', /unknown option '--soon'/],
    ['nearly of an option', 'rotate-signing-keys --led-hours 2', /Did you mean --lead-hours\?/],
    ['nearly of the help', 'appoint-administrator --hepl', /Did you mean --help\?/],
    ['with a lead of no time', 'rotate-signing-keys --lead-hours 0', /'0' is invalid.*over 0/],
    ['with help for a lead', 'rotate-signing-keys --lead-hours --help', /'--help' is invalid/],
  ])('%s ends with 2 and shows the help', async (_what, words, message) => {
    const { code, printed, said } = await run(words);
    expect(said).toMatch(message);
    expect(said).toContain('Usage: npm run administer --');
    expect([code, printed]).toEqual([2, '']);
  });

  it('that asks for help, gets it, with every command', async () => {
    const { code, printed } = await run('--help');
    expect(code).toBe(0);
    const commands = ['appoint-administrator', 'create', 'rotate', 'show'];
    for (const command of commands) expect(printed).toContain(`  ${command}`);
  });

  it.each(['rotate-signing-keys --help', 'appoint-administrator nobody@example.com -h'])(
    'of %s describes the command and does nothing',
    async (words) => {
      const { code, printed, said } = await run(words);
      expect({ code, said }).toEqual({ code: 0, said: '' });
      expect(printed).toContain(`Usage: npm run administer -- ${words.split(' ')[0]}`);
    },
  );
});
