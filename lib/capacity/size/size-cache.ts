import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { type CacheNodeType, cacheNodeTypes } from '../data/cache-nodes.ts';
import type { FigureBook } from '../data/figures.ts';
import { rounded } from '../data/rounded.ts';
import { unitCosts } from '../data/unit-costs.ts';
import { growthFactor, type PlannedLoad } from '../load/load.ts';
import { redundancyOf } from './availability.ts';

const GIBIBYTE = 1_024 ** 3;
const PERCENT = 100;
/** ElastiCache keeps a quarter of a node for snapshots and failover (reserved-memory-percent, default 25). */
const RESERVED_PERCENT = 25;
/** Of what is left, how much the data may fill before it evicts and the alarm goes off. */
const FILL_PERCENT = 75;
/** Share of the users who have a session at a time: those who logged in within its idle life, on about as many devices. */
const SHARE_WITH_SESSION = 0.3;
/** One session: ids, two hashes, a salt and times as JSON, its field of the hash, and its share of the key. */
const BYTES_PER_SESSION = 500;
/** Commands a node is asked for at the peak, as a share of what it can do. */
const COMMAND_TARGET_PERCENT = 50;
/** A write sets the entry and tells the near caches. */
const COMMANDS_PER_WRITE = 2;
/** A login, a limit's lease and the like: commands that are neither reads nor writes of entries, for each request. */
const COMMANDS_PER_REQUEST = 0.05;

interface CacheChoice {
  readonly node: CacheNodeType;
  readonly shards: number;
}

/**
 * The smallest node that suffices alone: one shard needs no cluster mode. Where none does, the node type that, with as many shards as it
 * needs, has the least memory in all; memory is what is paid for.
 */
function choose(
  candidates: readonly CacheNodeType[],
  gibibytes: number,
  commands: number,
): CacheChoice {
  const usable = ((1 - RESERVED_PERCENT / PERCENT) * FILL_PERCENT) / PERCENT;
  const choices = candidates.map((node) => ({
    node,
    shards: Math.max(
      1,
      Math.ceil(gibibytes / (node.memoryGibibytes * usable)),
      Math.ceil(commands / ((node.commandsPerSecond * COMMAND_TARGET_PERCENT) / PERCENT)),
    ),
  }));
  const [chosen] = choices.sort(
    (left, right) =>
      Number(left.shards > 1) - Number(right.shards > 1) ||
      left.shards * left.node.memoryGibibytes - right.shards * right.node.memoryGibibytes,
  );
  if (chosen === undefined) throw new Error('There is no cache node to choose from.');
  return chosen;
}

/** What a stage may have: none that slows down after a while where it has to be there always. */
function candidateNodes(stage: StageDefinition): readonly CacheNodeType[] {
  const { survivesZoneLoss } = redundancyOf(stage);
  return cacheNodeTypes.filter(({ burstable }) => !(burstable && survivesZoneLoss));
}

/** Sessions that there are at a time, in GiB. */
const sessionGibibytes = (users: number): number =>
  (users * SHARE_WITH_SESSION * BYTES_PER_SESSION) / GIBIBYTE;

function chooseSessionNode(stage: StageDefinition, load: PlannedLoad): CacheChoice {
  return choose(
    candidateNodes(stage),
    sessionGibibytes(stage.workload.users * growthFactor(stage.workload)),
    load.event.logins * COMMANDS_PER_WRITE,
  );
}

/** What is wrong with the sessions of a stage: that one node cannot hold them, as they are not spread over shards. */
export function findSessionProblems(stage: StageDefinition, load: PlannedLoad): string[] {
  const { shards } = chooseSessionNode(stage, load);
  if (shards === 1) return [];
  const users = stage.workload.users * growthFactor(stage.workload);
  return [
    `Stage "${stage.name}": the sessions of ${rounded(users)} users (${rounded(sessionGibibytes(users))} GiB) do not fit into the largest cache node, and they are not spread over shards. Shard them, or keep them for less time.`,
  ];
}

/** Sizes the cache: every user fits, and the peak's commands are a part of what the nodes can do. */
export function sizeCache(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
): StageSize['cache'] {
  const { policy, workload } = stage;
  const redundancy = redundancyOf(stage);
  const users = workload.users * growthFactor(workload);
  const entry = workload.payloadBytes + unitCosts.cacheBytesPerUserOverPayload.value;
  const gibibytes = (users * entry) / GIBIBYTE;
  const commands =
    load.event.cacheReads +
    load.event.databaseReads +
    load.event.writes * COMMANDS_PER_WRITE +
    load.event.origin * COMMANDS_PER_REQUEST;
  const choice = choose(candidateNodes(stage), gibibytes, commands);
  const reason = `${rounded(gibibytes)} GiB (${rounded(users)} users × ${entry} bytes) and ${rounded(commands)} commands/s at the highest peak`;
  return {
    engine: book.decide('cache.engine', policy.cacheEngine, `policy: ${policy.cacheEngine}`),
    nodeType: book.decide('cache.nodeType', choice.node.name, reason),
    sessionNodeType: book.decide(
      'cache.sessionNodeType',
      chooseSessionNode(stage, load).node.name,
      `${rounded(sessionGibibytes(users))} GiB: sessions of ${SHARE_WITH_SESSION * PERCENT} % of ${rounded(users)} users × ${BYTES_PER_SESSION} bytes; apart from the cache, whose eviction would end them`,
    ),
    shards: book.decide(
      'cache.shards',
      choice.shards,
      `a node takes ${rounded((choice.node.memoryGibibytes * (PERCENT - RESERVED_PERCENT) * FILL_PERCENT) / PERCENT ** 2)} GiB and ${rounded((choice.node.commandsPerSecond * COMMAND_TARGET_PERCENT) / PERCENT)} commands/s`,
    ),
    replicas: book.decide(
      'cache.replicas',
      redundancy.survivesZoneLoss ? 2 : redundancy.replicated ? 1 : 0,
      `${policy.availabilityPercent} % asks for ${redundancy.survivesZoneLoss ? 'a copy in each other zone' : redundancy.replicated ? 'a copy in another zone' : 'none: a lost cache is filled again'}`,
    ),
    snapshotRetentionDays: book.decide(
      'cache.snapshotRetentionDays',
      policy.retention.cacheSnapshotDays,
      'policy: how long daily snapshots are kept',
    ),
  };
}
