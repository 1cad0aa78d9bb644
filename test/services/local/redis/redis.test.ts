import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { findFreePort } from '../../../../services/local/process/ports.ts';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import { findRedis } from '../../../../services/local/redis/find-redis.ts';
import { redisInstallLine } from '../../../../services/local/redis/install-hint.ts';
import { type Redis, startRedis } from '../../../../services/local/redis/redis.ts';
import { canConnect, otherAddresses } from '../../../support/reach.ts';
import { describeWithRedis } from '../../../support/redis.ts';

let guardian: Guardian;
let directory: string;
beforeAll(() => {
  guardian = startGuardian();
});
beforeEach(() => {
  directory = guardian.createTemporaryDirectory('headroom-redis-test-');
});
afterAll(() => guardian.close());

/** A program in `directory` that prints what a server says when asked for its version, and then ends with `exitCode`. */
function fakeProgram(name: string, output: string, exitCode = 0): void {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\necho '${output}'\nexit ${exitCode}\n`);
  chmodSync(path, 0o755);
}

describe('findRedis', () => {
  it('finds nothing, when no folder of the path has a server', () => {
    expect(findRedis(directory)).toBeNull();
    expect(findRedis('')).toBeNull();
  });

  it('finds Valkey with its version, when there is no Redis', () => {
    fakeProgram(
      'valkey-server',
      'Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64',
    );

    expect(findRedis(`/no/such/folder:${directory}`)).toEqual({
      path: join(directory, 'valkey-server'),
      program: 'valkey-server',
      version: '8.1.1',
    });
  });

  it('passes over a server that does not run', () => {
    fakeProgram('redis-server', 'cannot open shared object file', 127);
    fakeProgram('valkey-server', 'Valkey server v=8.1.1 sha=00000000:0');

    expect(findRedis(directory)?.program).toBe('valkey-server');
  });
});

describe('redisInstallLine', () => {
  it.each([
    ['apt-get', 'apt-get install -y redis-server'],
    ['dnf', 'dnf install -y valkey'],
    ['pacman', 'pacman -S --noconfirm valkey'],
    ['apk', 'apk add valkey'],
    ['brew', 'brew install redis'],
  ])('names the package, when the system has %s', (manager, line) => {
    fakeProgram(manager, '');

    expect(redisInstallLine(directory)).toMatch(new RegExp(`^(sudo )?${line}$`));
  });

  it('names a page, when the system has no package manager that it knows', () => {
    expect(redisInstallLine(directory)).toBe('see https://valkey.io/download/');
  });
});

describe('startRedis, when no server is installed,', () => {
  it('starts nothing and gives null', async () => {
    expect(await startRedis({ directory, guardian, program: findRedis(directory) })).toBeNull();
  });
});

describeWithRedis('a Redis server on this machine', () => {
  async function start(port = 0): Promise<Redis> {
    const redis = await startRedis({ directory, guardian, port });
    if (!redis) throw new Error('no Redis');
    onTestFinished(() => redis.stop());
    return redis;
  }

  it('answers on the loopback address only and is gone, when it is stopped', async () => {
    const redis = await start();
    const client = new Client(redis.url);
    onTestFinished(() => client.disconnect());
    expect(await client.ping()).toBe('PONG');
    for (const address of otherAddresses())
      expect(await canConnect(address, redis.port)).toBe(false);
    expect(redis.version).toMatch(/^\d+\.\d+\.\d+/);

    await redis.stop();

    expect(isAlive(redis.processId)).toBe(false);
  });

  it('writes no data to the disk, when it is stopped', async () => {
    const redis = await start();
    const client = new Client(redis.url);
    await client.set('key', 'value');
    client.disconnect();

    await redis.stop();

    expect(execFileSync('ls', [directory], { encoding: 'utf8' }).trim().split('\n').sort()).toEqual(
      ['owner.lock', 'owner.pid', 'redis.log'],
    );
  });

  it('fails with the port, when the one that was asked for is taken', async () => {
    const port = await findFreePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());

    await expect(start(port)).rejects.toThrow(
      `Port ${port}, asked for Redis, is taken by another program.`,
    );
  });

  it('can be started again, when starting it failed', async () => {
    fakeProgram('redis-server', 'Redis server v=7.0.0 sha=0');
    await expect(
      startRedis({ directory, guardian, program: findRedis(directory) }),
    ).rejects.toThrow('redis-server ended with exit code 0 while starting. Its last words:');

    await expect(start()).resolves.toMatchObject({ program: expect.stringContaining('-server') });
  });
});

describeWithRedis('the Redis server of a suite', (redis) => {
  it('is empty and has the same address, when it was stopped and started', async () => {
    const { url } = redis();
    const before = new Client(url);
    await before.set('key', 'value');
    before.disconnect();
    await redis().stop();
    expect(await canConnect('127.0.0.1', Number(new URL(url).port))).toBe(false);

    await redis().start();

    const after = new Client(redis().url);
    expect(await after.get('key')).toBeNull();
    after.disconnect();
  });
});
