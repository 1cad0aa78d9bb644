import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalFailure } from '../../../../services/local/local-failure.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import { waitUntilReady } from '../../../../services/local/process/readiness.ts';
import {
  type ProcessExit,
  type SupervisedProcess,
  startProcess,
} from '../../../../services/local/process/supervised-process.ts';

const WAIT = { timeout: 10_000, interval: 10 };

let guardian: Guardian;
let logFile: string;

beforeAll(() => {
  guardian = startGuardian();
});
beforeEach(() => {
  logFile = join(guardian.createTemporaryDirectory('headroom-process-test-'), 'process.log');
});
afterAll(() => guardian.close());

interface Run {
  readonly stopTimeoutMilliseconds?: number;
  readonly environment?: NodeJS.ProcessEnv;
  readonly onUnexpectedExit?: (exit: ProcessExit) => void;
}

function run(program: string, options: Run = {}): Promise<SupervisedProcess> {
  return startProcess({
    name: 'the program',
    command: process.execPath,
    arguments: ['--eval', program],
    logFile,
    guardian,
    ...options,
  });
}

async function logContains(text: string): Promise<void> {
  await expect.poll(() => readFileSync(logFile, 'utf8'), WAIT).toContain(text);
}

describe('a supervised process', () => {
  it('leads a process group of its own, when it is started', async () => {
    const supervised = await run('setInterval(() => {}, 1000)');

    // Signal 0 to the group succeeds only when there is a group with this number.
    expect(() => process.kill(-supervised.processId, 0)).not.toThrow();
    await supervised.stop();
  });

  it('writes both outputs to the log and keeps the log of the run before, when it is run twice', async () => {
    await (await run("console.log('first run')")).exited;
    const second = await run("console.log('to stdout'); console.error('to stderr')");
    await second.exited;

    expect(second.lastLogLines(5)).toEqual(['to stdout', 'to stderr']);
    expect(second.lastLogLines(1)).toEqual(['to stderr']);
    expect(readFileSync(`${logFile}.previous`, 'utf8')).toBe('first run\n');
  });

  it('has only the given variables, when an environment is given', async () => {
    const supervised = await run('console.log(JSON.stringify(process.env))', {
      environment: { COLOUR: 'green' },
    });
    await supervised.exited;

    expect(JSON.parse(supervised.lastLogLines(1)[0] ?? '')).toEqual({ COLOUR: 'green' });
  });

  it('is ended by the first signal, when it obeys', async () => {
    const supervised = await run(
      "process.on('SIGTERM', () => process.exit(7)); console.log('up'); setInterval(() => {}, 1000)",
    );
    await logContains('up');

    expect(await supervised.stop()).toEqual({ code: 7, signal: null });
    expect(supervised.exit()).toEqual({ code: 7, signal: null });
  });

  it('is killed, when it is deaf to the stop signal', async () => {
    const supervised = await run(
      "process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000)",
      { stopTimeoutMilliseconds: 100 },
    );
    await logContains('up');

    expect(await supervised.stop()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(supervised.lastLogLines(1)).toEqual(['no']);
  });

  it('takes its own children with it, when it ends without having ended them', async () => {
    const supervised = await run(
      `const child = require('node:child_process').spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
       console.log(child.pid); setInterval(() => {}, 1000)`,
    );
    await expect.poll(() => supervised.lastLogLines(1).length, WAIT).toBe(1);
    const grandchild = Number(supervised.lastLogLines(1)[0]);
    expect(isAlive(grandchild)).toBe(true);

    await supervised.stop();

    await expect.poll(() => isAlive(grandchild), WAIT).toBe(false);
  });

  it('reports its exit, when nobody stopped it, and does not, when somebody did', async () => {
    const exits: ProcessExit[] = [];
    const onUnexpectedExit = (exit: ProcessExit) => exits.push(exit);
    const crashing = await run('process.exit(3)', { onUnexpectedExit });
    await crashing.exited;
    const stopped = await run('setInterval(() => {}, 1000)', { onUnexpectedExit });
    await stopped.stop();

    expect(exits).toEqual([{ code: 3, signal: null }]);
  });

  it('fails with the program and a remedy, when there is no such program', async () => {
    const start = startProcess({
      name: 'the program',
      command: '/no/such/program',
      logFile,
      guardian,
    });

    await expect(start).rejects.toThrow(
      new LocalFailure(
        'the program could not be started: /no/such/program: it is not there.',
        'Install it, or run `npm ci` if it belongs to this project.',
      ),
    );
  });

  it('fails with the path, when its log file cannot be written', async () => {
    const file = join(guardian.createTemporaryDirectory('headroom-process-test-'), 'file');
    writeFileSync(file, '');
    logFile = join(file, 'process.log');

    await expect(run('')).rejects.toThrow(`Could not write the log file ${logFile}`);
  });
});

describe('waitUntilReady', () => {
  it('resolves, when the response becomes true', async () => {
    const supervised = await run(
      "setTimeout(() => console.log('ready'), 100); setInterval(() => {}, 1000)",
    );

    await waitUntilReady(supervised, {
      isReady: () => supervised.lastLogLines(1)[0] === 'ready',
      timeoutMilliseconds: 10_000,
    });

    expect(supervised.exit()).toBeNull();
    await supervised.stop();
  });

  it('fails with how the process ended and its last words, when it ends first', async () => {
    const supervised = await run("console.error('no licence'); process.exit(4)");

    await expect(
      waitUntilReady(supervised, { isReady: () => false, timeoutMilliseconds: 10_000 }),
    ).rejects.toThrow(
      'the program ended with exit code 4 while starting. Its last words:\n  no licence',
    );
  });

  it('fails and leaves the process to its owner, when the time runs out', async () => {
    const supervised = await run('setInterval(() => {}, 1000)');

    await expect(
      waitUntilReady(supervised, { isReady: () => false, timeoutMilliseconds: 100 }),
    ).rejects.toThrow('the program was not ready after 0.1 s');
    expect(supervised.exit()).toBeNull();
    await supervised.stop();
  });
});
