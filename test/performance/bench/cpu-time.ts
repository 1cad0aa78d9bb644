import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Processor time that was used, in seconds. */
export interface CoreTimes {
  readonly busy: number;
  readonly total: number;
}

const LINUX = process.platform === 'linux';
/** Places in /proc/<pid>/stat after the closing parenthesis of the name, from proc_pid_stat(5): 0 is the state. */
const GROUP = 2;
const USER_TIME = 11;
const SYSTEM_TIME = 12;
/** Places in a line of /proc/stat after its name, from proc_stat(5). Guest time is part of user time already. */
const IDLE = 3;
const WAITING_FOR_DISK = 4;
const STEAL = 7;

let ticks: number | undefined;

/** Clock ticks a second, in which the kernel tells processor time. */
function ticksPerSecond(): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticks;
}

/** Process group, and user and system time of all threads in clock ticks, from the text of /proc/<pid>/stat. */
export function parseProcessStat(text: string): { group: number; ticks: number } {
  // The name may hold blanks and parentheses, so what follows the last one counts.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return {
    group: fields[GROUP] ?? 0,
    ticks: (fields[USER_TIME] ?? 0) + (fields[SYSTEM_TIME] ?? 0),
  };
}

/**
 * CPU time of all processes in a process group so far, threads included, in seconds: a server that is started in a group of its
 * own is counted with its workers. What a worker that has ended used is not in it.
 *
 * @returns null where there is no /proc.
 */
export function cpuSecondsOfGroup(group: number): number | null {
  if (!LINUX) return null;
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = parseProcessStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
      if (stat.group === group) sum += stat.ticks;
    } catch {
      // It has ended since the folder was read.
    }
  }
  return sum / ticksPerSecond();
}

/** CPU time of this process's children that have ended and been waited for, in seconds; null where there is no /proc. */
export function cpuSecondsOfEndedChildren(): number | null {
  if (!LINUX) return null;
  const text = readFileSync('/proc/self/stat', 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return ((fields[USER_TIME + 2] ?? 0) + (fields[SYSTEM_TIME + 2] ?? 0)) / ticksPerSecond();
}

/** The times of some cores, from the text of /proc/stat, in clock ticks. */
export function parseCoreTimes(text: string, cores: readonly number[]): CoreTimes {
  let busy = 0;
  let total = 0;
  for (const line of text.split('\n')) {
    const [, core, numbers = ''] = /^cpu(\d+) (.*)$/.exec(line) ?? [];
    if (core === undefined || !cores.includes(Number(core))) continue;
    const times = numbers
      .split(' ')
      .slice(0, STEAL + 1)
      .map(Number);
    const sum = times.reduce((all, time) => all + time, 0);
    total += sum;
    busy += sum - (times[IDLE] ?? 0) - (times[WAITING_FOR_DISK] ?? 0);
  }
  return { busy, total };
}

/** Time that `cores` have been busy and have been there, since the machine started; null where there is no /proc. */
export function coreTimes(cores: readonly number[]): CoreTimes | null {
  if (!LINUX) return null;
  const { busy, total } = parseCoreTimes(readFileSync('/proc/stat', 'utf8'), cores);
  return { busy: busy / ticksPerSecond(), total: total / ticksPerSecond() };
}

/** Share of the time between two readings that the cores were busy: 0 to 1. */
export function busyShare(before: CoreTimes | null, after: CoreTimes | null): number | null {
  if (before === null || after === null || after.total === before.total) return null;
  return (after.busy - before.busy) / (after.total - before.total);
}
