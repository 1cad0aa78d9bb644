import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sql from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OWNER } from '../../../../services/local/postgres/credentials.ts';
import { prepareDatabase } from '../../../../services/local/postgres/prepare-database.ts';
import { type OwnPostgres, startOwnPostgres } from '../../../support/own-postgres.ts';

/** What people send, and what is stored of it. */
const NAME = 'Zaphod Beeblebrox';
const EMAIL = 'zaphod@betelgeuse.example';
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$slartibartfast$magrathea';
const PASSWORD = 'gargle-blaster';

let postgres: OwnPostgres;
let client: sql.Sql;
let log: string;

/** @returns the SQLSTATE of the error that it ends with. */
async function codeOf(statement: Promise<unknown>): Promise<unknown> {
  return await statement.then(
    () => undefined,
    (error: unknown) => Object(error).code,
  );
}

/** Two transactions that take the rows of each other. @returns how the one that is ended ends */
async function deadlock(): Promise<unknown> {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const takeBoth = (
    [one, other]: readonly [string, string],
    mine: PromiseWithResolvers<void>,
    theirs: PromiseWithResolvers<void>,
  ) =>
    client.begin(async (transaction) => {
      await transaction`update people set hash = ${HASH} where email = ${one}`;
      mine.resolve();
      await theirs.promise;
      await transaction`update people set hash = ${HASH} where email = ${other}`;
    });
  const codes = await Promise.all([
    codeOf(takeBoth([EMAIL, `second.${EMAIL}`], first, second)),
    codeOf(takeBoth([`second.${EMAIL}`, EMAIL], second, first)),
  ]);
  return codes.find((code) => code !== undefined);
}

beforeAll(async () => {
  postgres = await startOwnPostgres();
  const administrator = sql(postgres.primary.administratorUrl, { max: 1, onnotice: () => {} });
  client = sql(postgres.primary.url, { max: 3, onnotice: () => {} });
  for (const setting of ['log_min_duration_statement = 0', "deadlock_timeout = '20ms'"]) {
    await administrator.unsafe(`alter system set ${setting}`);
  }
  await administrator`select pg_reload_conf()`;
  await vi.waitFor(async () => {
    const [shown] = await administrator`show log_min_duration_statement`;
    expect(shown).toMatchObject({ log_min_duration_statement: '0' });
  });

  await client`create table people (email text unique, name text check (length(name) < 20), hash text)`;
  await client`insert into people values (${EMAIL}, ${NAME}, ${HASH}), (${`second.${EMAIL}`}, ${NAME}, ${HASH})`;
  const codes = [
    await codeOf(client`insert into people values (${EMAIL}, ${NAME}, ${HASH})`),
    await codeOf(client`insert into people values (${HASH}, ${NAME + EMAIL}, ${HASH})`),
    await codeOf(client`select ${NAME}::text::bigint`),
    await codeOf(client`select ${EMAIL}::text::timestamptz`),
    await codeOf(
      client.begin(async (one) => {
        await one`select from people where email = ${EMAIL} for update`;
        await client.begin(async (other) => {
          await other`set local lock_timeout = '20ms'`;
          await other`update people set name = ${NAME} where email = ${EMAIL}`;
        });
      }),
    ),
    await deadlock(),
  ];
  expect(codes).toEqual(['23505', '23514', '22P02', '22007', '55P03', '40P01']);

  await administrator.unsafe(`alter role ${OWNER} rename to former`);
  const passwords = { administrator: PASSWORD, owner: PASSWORD, replicator: PASSWORD };
  await prepareDatabase(administrator, 'headroom', passwords);
  const [place] = await administrator`show data_directory`;
  await Promise.all([administrator.end(), client.end()]);
  log = await readFile(join(dirname(place?.data_directory), 'primary.log'), 'utf8');
});
afterAll(() => postgres.stop());

describe('The log of PostgreSQL, when every statement is slow and many fail', () => {
  it('has the statements', () => {
    expect(log).toMatch(/duration: .* insert into people values \(\$1, *\$2, *\$3\)/);
    expect(log).toMatch(/duration: .*CREATE ROLE headroom .*PASSWORD 'SCRAM-SHA-256\$/);
  });

  it.each([NAME, EMAIL, HASH, PASSWORD])('has no %j in it', (value) => {
    expect(log).not.toContain(value);
  });
});
