import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curlLines, paste, runStart, temporaryDirectory } from './start-command.ts';

/** Set in real shells; each has stopped, or changed, a program that took the shell's environment as it was. */
const HOSTILE_SHELL = {
  AWS_ACCESS_KEY_ID: 'a-real-key',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_PROFILE: 'a-profile-that-is-not-there',
  AWS_USE_DUALSTACK_ENDPOINT: 'true',
  AWS_USE_FIPS_ENDPOINT: 'true',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
  LC_ALL: 'tr_TR.UTF-8',
  NODE_USE_ENV_PROXY: '1',
  NO_PROXY: 'intranet.example',
  PGHOST: '192.0.2.1',
  PGOPTIONS: '--default_transaction_read_only=on',
  PGPASSWORD: 'not-the-password',
  PGSSL: 'true',
  PGSSLMODE: 'verify-full',
  PGTARGETSESSIONATTRS: 'read-only',
};

describe('npm start', () => {
  it('reads, writes and sends email whatever AWS, PostgreSQL, proxy and locale variables the shell has', async () => {
    await using directory = await temporaryDirectory();
    // The SDK reads the same switches from the profile, too.
    const home = join(directory.path, 'home');
    await mkdir(join(home, '.aws'), { recursive: true });
    const profile = '[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n';
    await writeFile(join(home, '.aws/config'), profile);

    const command = runStart({
      ...HOSTILE_SHELL,
      HOME: home,
      LOCAL_DIRECTORY: join(directory.path, 'local'),
    });
    await command.ready();
    const [read, , create, messages] = curlLines(command.output());

    expect(await paste(read ?? '')).toMatchObject({ id: 1 });
    expect(await paste(create ?? '')).toMatchObject({ name: 'Ada Lovelace' });
    await expect.poll(() => paste(messages ?? '')).toMatchObject({ messages: [{}] });
    expect((await command.stop()).code).toBe(0);
  });
});
