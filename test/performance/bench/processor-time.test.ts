import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { parseCoreList, planCores } from './cores.ts';
import {
  busyShare,
  coreTimes,
  cpuSecondsOfGroup,
  parseCoreTimes,
  parseProcessStat,
} from './cpu-time.ts';

describe('parseProcessStat', () => {
  it('finds group and times behind a name with blanks and parentheses', () => {
    const text =
      '42 (a (b) c) S 1 4242 42 0 -1 4194304 100 0 0 0 250 50 7 8 20 0 11 0 123 456 789\n';
    expect(parseProcessStat(text)).toEqual({ group: 4_242, ticks: 300 });
  });
});

describe('parseCoreTimes', () => {
  const text = [
    'cpu  40 0 40 400 0 0 0 0 0 0',
    'cpu0 10 1 10 100 5 2 3 4 99 0',
    'cpu1 30 0 30 300 0 0 0 0 0 0',
    'intr 12345',
  ].join('\n');

  it('adds up the cores asked for, counting waiting for the disk as idle and guests once', () => {
    expect(parseCoreTimes(text, [0])).toEqual({ busy: 30, total: 135 });
    expect(parseCoreTimes(text, [0, 1])).toEqual({ busy: 90, total: 495 });
  });

  it('gives the share of the time between two readings', () => {
    expect(busyShare({ busy: 10, total: 100 }, { busy: 35, total: 150 })).toBe(0.5);
    expect(busyShare(null, { busy: 1, total: 1 })).toBeNull();
  });
});

describe('cpuSecondsOfGroup', () => {
  it.runIf(process.platform === 'linux')(
    'counts a process and its child, as they count themselves',
    async () => {
      // Each uses some CPU time, prints how much by its own account, and waits to be ended.
      const burn = `
        const until = 300_000;
        while (process.cpuUsage().user + process.cpuUsage().system < until);
        setTimeout(() => {}, 60_000);
      `;
      const parent = `
        const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(burn)}]);
        ${burn}
      `;
      const started = spawn(process.execPath, ['-e', parent], { detached: true, stdio: 'ignore' });
      const group = started.pid ?? 0;
      try {
        // Both get there however busy the machine is, so waiting for it needs no clock of its own.
        await expect
          .poll(() => cpuSecondsOfGroup(group), { timeout: 20_000 })
          .toBeGreaterThanOrEqual(0.58);
      } finally {
        process.kill(-group, 'SIGKILL');
        await once(started, 'exit');
      }
      expect(coreTimes([0])?.total).toBeGreaterThan(0);
    },
  );
});

describe('planCores', () => {
  it.each([
    [[0, 1], { subject: 1, second: 0, others: [0] }],
    [[2, 3, 6, 7], { subject: 7, second: 6, others: [2, 3, 6] }],
  ])('gives the last of %j to the subject, and the others to all else', (allowed, expected) => {
    expect(planCores(allowed)).toMatchObject({ pinned: true, ...expected });
  });

  it('pins nothing on one core', () => {
    expect(planCores([0])).toMatchObject({ pinned: false, subject: 0, others: [0] });
  });

  it('reads lists as taskset writes them', () => {
    expect(parseCoreList(' 0-2,5\n')).toEqual([0, 1, 2, 5]);
  });
});
