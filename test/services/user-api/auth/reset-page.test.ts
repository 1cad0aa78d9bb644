import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createPasswordResetToken,
  hashPasswordResetToken,
} from '../../../../services/contracts/password-reset-token.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import {
  type AuthApi,
  connect,
  createPerson,
  PASSWORD,
  type Person,
  startAuthApi,
} from './support/auth-api.ts';

/** A Chromium on the PATH; playwright-core brings none. */
function findBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = (process.env.PATH ?? '').split(delimiter);
  return names
    .flatMap((name) => paths.map((path) => join(path, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const executablePath = findBrowser();
if (executablePath === undefined) {
  console.warn('SKIPPED: the page of new passwords, in a browser: no Chromium on the PATH');
}

describe.skipIf(executablePath === undefined)('the page of new passwords, in a browser', () => {
  let database: TestDatabase;
  let sql: Sql;
  let api: AuthApi;
  let browser: Browser;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database);
    api = await startAuthApi({ database });
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      // Tests may run as root, where Chromium's sandbox does not.
      args: ['--no-sandbox'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.stop();
    await sql?.end();
    await database?.drop();
  });

  async function linkFor(person: Person): Promise<string> {
    const token = createPasswordResetToken();
    await sql`
      insert into password_resets (id, user_id, token_hash, expires_at)
      values (gen_random_uuid(), ${person.id}, ${hashPasswordResetToken(token)}, now() + interval '1 minute')
    `;
    return `${api.url}/reset-password#token=${token}`;
  }

  it('sets a new password, keeps the secret out of the address bar, and shows what is wrong with a bad one', async () => {
    const person = await createPerson(api, sql);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (line) => {
      if (line.type() === 'error') complaints.push(line.text());
    });
    page.on('pageerror', (error) => void complaints.push(String(error)));
    await page.goto(await linkFor(person));

    expect(page.url()).toBe(`${api.url}/reset-password`);
    await page.getByLabel('New password').fill('passwordpassword');
    await page.getByRole('button').click();
    await page.getByText('The password is among the passwords that are tried first').waitFor();
    await page.getByLabel('New password').fill('seventeen green elephants');
    await page.getByRole('button').click();
    await page.getByText('Your password is set').waitFor();

    expect(await page.getByRole('button').isVisible()).toBe(false);
    expect((await api.login(person.email, PASSWORD)).status).toBe(401);
    expect((await api.login(person.email, 'seventeen green elephants')).status).toBe(200);
    // The browser itself says that a request got 422; nothing else went wrong, its policy included.
    expect(complaints.filter((line) => !line.includes('422'))).toEqual([]);
    await page.close();
  });

  it('says what to do without a link, and with one that is good no more', async () => {
    const page = await browser.newPage();
    await page.goto(`${api.url}/reset-password`);
    await page.getByText('This page is opened by the link in an email').waitFor();
    expect(await page.getByRole('button').isVisible()).toBe(false);

    await page.goto('about:blank');
    await page.goto(`${api.url}/reset-password#token=${createPasswordResetToken()}`);
    await page.getByLabel('New password').fill('seventeen green elephants');
    await page.getByRole('button').click();
    await page.getByText('The link has expired').waitFor();
    await page.close();
  });
});
