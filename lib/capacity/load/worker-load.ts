import type { WorkerDefinition } from '../../config/workers.ts';
import type { Load } from './load.ts';

/** Messages a second that `load` makes for the worker; 0 for one whose demand is not stated. */
export function messagesPerSecond({ demand }: WorkerDefinition, load: Load): number {
  if (demand === undefined) return 0;
  const rates = { creation: load.creations, write: load.writes, login: load.logins };
  return rates[demand.per] * demand.messages;
}
