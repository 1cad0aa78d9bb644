import { readEnvironment } from '../../../../../services/contracts/environment/read.ts';
import { createDependencies } from '../../../../../services/user-api/app/dependencies.ts';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';
import { variables } from '../../../../../services/user-api/settings/settings.ts';

/** The orders for a measured process. Times are microseconds of the machine's monotonic clock, which all processes share. */
export type Order =
  | { readonly do: 'start'; readonly environment: Readonly<Record<string, string>> }
  | { readonly do: 'read'; readonly id: number }
  | { readonly do: 'write'; readonly id: number }
  /** Reads of its memory, from now on. */
  | { readonly do: 'answer'; readonly ids: readonly number[]; readonly perMillisecond: number };

/** Its reports. */
export type Report =
  | { readonly was: 'ready' }
  | { readonly was: 'read'; readonly id: number }
  | {
      readonly was: 'acknowledged' | 'received';
      readonly id: number;
      readonly version: number;
      readonly at: number;
      /** Whether it could have answered an older version until then. */
      readonly wasBehind: boolean;
    }
  | { readonly was: 'stale'; readonly id: number; readonly version: number };

const BURST_MILLISECONDS = 5;
const READY_POLL_MILLISECONDS = 10;

function now(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}

function report(was: Report): void {
  process.send?.(was);
}

async function start(environment: Readonly<Record<string, string>>) {
  const settings = readEnvironment(variables, environment);
  const dependencies = await createDependencies(settings, createLogger(settings));
  const { userCaching, users } = dependencies;
  const { near } = userCaching;
  const record = near.record.bind(near);
  near.record = (id, version) => {
    const known = near.get(id);
    record(id, version);
    // From here on this process cannot answer what is older.
    const wasBehind = known !== undefined && known.version < version;
    report({ was: 'received', id, version, at: now(), wasBehind });
    void users.get(id).then((found) => {
      if ((found?.version ?? 0) < version) report({ was: 'stale', id, version });
    });
  };
  await dependencies.start();
  while (!near.isOpen) await new Promise((resolve) => setTimeout(resolve, READY_POLL_MILLISECONDS));
  report({ was: 'ready' });
  return users;
}

let users: Awaited<ReturnType<typeof start>> | undefined;

process.on('message', async (message) => {
  const order = message as Order;
  if (order.do === 'start') {
    users = await start(order.environment);
    return;
  }
  if (users === undefined) throw new Error('It has not been started');
  const current = users;
  if (order.do === 'read') {
    await current.get(order.id);
    report({ was: 'read', id: order.id });
  } else if (order.do === 'write') {
    const { id } = order;
    const mayWrite = { email: null, status: null };
    const { version } = await current.update(id, { name: String(now()) }, null, mayWrite);
    report({ was: 'acknowledged', id, version, at: now(), wasBehind: false });
  } else {
    let next = 0;
    setInterval(() => {
      for (let read = 0; read < order.perMillisecond * BURST_MILLISECONDS; read += 1) {
        next = (next + 1) % order.ids.length;
        void current.get(order.ids[next] ?? 0);
      }
    }, BURST_MILLISECONDS);
  }
});
// Ends with its parent, whatever happens to that.
process.once('disconnect', () => process.exit());
