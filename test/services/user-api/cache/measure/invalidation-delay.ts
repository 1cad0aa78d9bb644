import { type ChildProcess, fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startGuardian } from '../../../../../services/local/process/guardian.ts';
import { startRedis } from '../../../../../services/local/redis/redis.ts';
import { migrate } from '../../../../../services/user-api/database/migrate.ts';
import { currentCommit, describeMachine } from '../../../../performance/bench/machine.ts';
import { startOwnPostgres } from '../../../../support/own-postgres.ts';
import type { Order, Report } from './measured-process.ts';

/**
 * How long a process serves an older version after a write was acknowledged: from when the writer has all that it needs to answer until each other
 * process cannot answer the older one any more. Run by hand:
 *
 * ```sh
 * npx node test/services/user-api/cache/measure/invalidation-delay.ts             # prints a table, in half a minute
 * npx node test/services/user-api/cache/measure/invalidation-delay.ts --publish   # and writes it to docs/cache.md
 * ```
 */
const PROCESSES = 4;
const USERS = 200;
const WRITES = 2_000;
/** Bounds each part, on however slow a machine. */
const LONGEST_MILLISECONDS = 60_000;
/** Some 4,000 reads a second and process, besides those of what was written. */
const READS_PER_MILLISECOND = 4;
const LOST_MILLISECONDS = 10_000;

const ROOT = join(import.meta.dirname, '../../../../..');
const DOCUMENT = join(ROOT, 'docs/cache.md');
const BEGIN =
  '<!-- delay: begin; measure/invalidation-delay.ts --publish writes what follows -->\n';
const END = '<!-- delay: end -->';

type InvalidationMessage = Extract<Report, { was: 'acknowledged' | 'received' }>;

/** One of the processes, and what it reports. */
class Participant {
  readonly #process: ChildProcess;
  #listeners = new Set<(report: Report) => void>();
  stale = 0;

  constructor() {
    this.#process = fork(join(import.meta.dirname, 'measured-process.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message) => {
      const report = message as Report;
      if (report.was === 'stale') this.stale += 1;
      for (const listener of this.#listeners) listener(report);
    });
  }

  send(order: Order): void {
    this.#process.send(order);
  }

  next<Awaited extends Report>(isIt: (report: Report) => report is Awaited): Promise<Awaited> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timeout);
        this.#listeners.delete(listener);
      };
      const timeout = setTimeout(() => {
        stop();
        reject(new Error(`A process has not notified of it for ${LOST_MILLISECONDS} ms`));
      }, LOST_MILLISECONDS);
      const listener = (report: Report) => {
        if (!isIt(report)) return;
        stop();
        resolve(report);
      };
      this.#listeners.add(listener);
    });
  }

  end(): void {
    this.#process.disconnect();
  }
}

function isReady(report: Report): report is Extract<Report, { was: 'ready' }> {
  return report.was === 'ready';
}

/** One write by one process, after all have read what it changes. @returns the delays at the others, in milliseconds. */
async function writeOnce(
  participants: readonly Participant[],
  place: number,
  id: number,
): Promise<number[]> {
  const writer = participants[place % participants.length];
  if (writer === undefined) return [];
  const others = participants.filter((participant) => participant !== writer);
  const isReadOf = (report: Report): report is Extract<Report, { was: 'read' }> =>
    report.was === 'read' && report.id === id;
  await Promise.all(
    others.map((participant) => {
      const read = participant.next(isReadOf);
      participant.send({ do: 'read', id });
      return read;
    }),
  );
  const isInvalidationOf =
    (was: InvalidationMessage['was']) =>
    (report: Report): report is InvalidationMessage =>
      report.was === was && report.id === id;
  const knownVersions = others.map((participant) => participant.next(isInvalidationOf('received')));
  const acknowledged = writer.next(isInvalidationOf('acknowledged'));
  writer.send({ do: 'write', id });
  const [{ at }, ...messages] = await Promise.all([acknowledged, ...knownVersions]);
  return messages
    .filter(({ wasBehind }) => wasBehind)
    .map((message) => Math.max(0, message.at - at) / 1_000);
}

/** @param lanes - writes at a time, each of users of its own. @returns all delays, in milliseconds. */
async function measure(
  participants: readonly Participant[],
  ids: readonly number[],
  lanes: number,
): Promise<{ readonly delays: number[]; readonly writesPerSecond: number }> {
  const delays: number[] = [];
  const beganAt = performance.now();
  let writes = 0;
  const work = async (lane: number) => {
    for (let turn = lane; turn < WRITES; turn += lanes) {
      if (performance.now() - beganAt > LONGEST_MILLISECONDS) return;
      // A lane's users are its own, and its writer changes with each turn.
      const place = Math.floor(turn / lanes);
      const id = ids[(turn % lanes) + lanes * (place % Math.floor(ids.length / lanes))] ?? 0;
      delays.push(...(await writeOnce(participants, place, id)));
      writes += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
  return { delays, writesPerSecond: (1_000 * writes) / (performance.now() - beganAt) };
}

function row(name: string, { delays, writesPerSecond }: Awaited<ReturnType<typeof measure>>) {
  const sorted = delays.toSorted((one, other) => one - other);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(2);
  const before = sorted.filter((delay) => delay === 0).length / Math.max(1, sorted.length);
  const cells = [
    name,
    Math.round(writesPerSecond),
    sorted.length,
    `${Math.round(100 * before)} %`,
    `${at(0.5)} ms`,
    `${at(0.99)} ms`,
    `${at(1)} ms`,
  ];
  return `| ${cells.join(' | ')} |`;
}

async function run(): Promise<string> {
  const guardian = startGuardian();
  const servers = await startOwnPostgres();
  const redis = await startRedis({
    directory: guardian.createTemporaryDirectory('headroom-delay-'),
    guardian,
    port: 0,
  });
  const participants = Array.from({ length: PROCESSES }, () => new Participant());
  try {
    if (redis === null) throw new Error('There is no redis-server or valkey-server on the PATH');
    await migrate(servers.primary.url);
    const sql = postgres(servers.primary.url, { max: 1 });
    const rows = await sql<{ id: number }[]>`
      insert into users (name, email)
      select 'Measured', 'measured.' || number || '@example.com' from generate_series(1, ${USERS}) number
      returning id::int`;
    await sql.end();
    const ids = rows.map(({ id }) => id);
    const environment = {
      STAGE: 'test',
      LOG_LEVEL: 'error',
      DATABASE_URL: servers.primary.url,
      DATABASE_READER_URLS: servers.replica.url,
      REDIS_URL: redis.url,
      AWS_REGION: 'eu-central-1',
      EMAIL_QUEUE_URL: 'http://127.0.0.1:1/queue',
      SERVICE_SECRET: 'a secret for measuring, with enough characters',
    };
    await Promise.all(
      participants.map((participant) => {
        const ready = participant.next(isReady);
        participant.send({ do: 'start', environment });
        return ready;
      }),
    );
    const [load = 0] = loadavg();
    const lines = [row('one write at a time', await measure(participants, ids, 1))];
    for (const participant of participants) {
      participant.send({ do: 'answer', ids, perMillisecond: READS_PER_MILLISECOND });
    }
    const busy = `8 writes at a time, ${1_000 * READS_PER_MILLISECOND} reads a second in each process`;
    lines.push(row(busy, await measure(participants, ids, 8)));
    const stale = participants.reduce((sum, participant) => sum + participant.stale, 0);
    if (stale > 0)
      throw new Error(`${stale} reads were out of date after the invalidation message`);
    const { cores, memoryGibibytes, processor, system, versions } = describeMachine({});
    const commit = currentCommit(ROOT) ?? 'unknown';
    return `${[
      '| | writes/s | messages | before the response | median | p99 | longest |',
      '|---|---|---|---|---|---|---|',
      ...lines,
    ].join('\n')}

${PROCESSES} processes, PostgreSQL with a replica and Redis on one machine: ${processor}, ${cores} cores, ${memoryGibibytes} GiB, ${system}, Node.js ${versions['Node.js']}; ${new Date().toISOString().slice(0, 10)}, commit ${commit}; load average ${load.toFixed(1)} when it began.
`;
  } finally {
    for (const participant of participants) participant.end();
    await redis?.stop();
    await servers.stop();
    await guardian.close();
  }
}

const table = await run();
console.log(table);
if (process.argv.includes('--publish')) {
  const document = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCUMENT} has no markers`);
  await writeFile(DOCUMENT, `${before}${BEGIN}\n${table}\n${END}${after}`);
}
