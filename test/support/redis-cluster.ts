import { join } from 'node:path';
import { Redis } from 'ioredis';
import { vi } from 'vitest';
import type { Guardian } from '../../services/local/process/guardian.ts';
import { findFreePort } from '../../services/local/process/ports.ts';
import { startProcess } from '../../services/local/process/supervised-process.ts';
import { system } from './system.ts';

const LOOPBACK = '127.0.0.1';
const SLOTS = 16_384;
/** Nodes say so to each other once a second. */
const AGREE_MILLISECONDS = 20_000;

/** A node of a Redis Cluster. */
export interface RedisClusterNode {
  readonly port: number;
  readonly url: string;
  /** Sends it one command. */
  command(name: string, ...parameters: (string | number)[]): Promise<unknown>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again with its slots, and without any keys. */
  start(): Promise<void>;
}

/** Starts a Redis Cluster on loopback whose nodes share the slots, in order and without replicas; the guardian ends it. */
export async function startRedisCluster(
  guardian: Guardian,
  count: number,
): Promise<RedisClusterNode[]> {
  const nodes: RedisClusterNode[] = [];
  const buses: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const busPort = await findFreePort();
    const node = await startNode(guardian, `Redis Cluster node ${index + 1}`, busPort);
    const first = Math.floor((index * SLOTS) / count);
    const last = Math.floor(((index + 1) * SLOTS) / count) - 1;
    await node.command('cluster', 'addslotsrange', first, last);
    for (const [place, other] of nodes.entries()) {
      await node.command('cluster', 'meet', LOOPBACK, other.port, buses[place] ?? 0);
    }
    nodes.push(node);
    buses.push(busPort);
  }
  for (const node of nodes) await untilItSays(node, `cluster_known_nodes:${count}`);
  for (const node of nodes) await untilItSays(node, 'cluster_state:ok');
  return nodes;
}

async function untilItSays({ command }: RedisClusterNode, words: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const info = String(await command('cluster', 'info'));
      if (!info.includes(words)) throw new Error(`Not ${words}: ${info}`);
    },
    { timeout: AGREE_MILLISECONDS, interval: 20 },
  );
}

async function startNode(
  guardian: Guardian,
  name: string,
  busPort: number,
): Promise<RedisClusterNode> {
  const port = await findFreePort();
  const directory = guardian.createTemporaryDirectory('headroom-test-cluster-');
  const settings = {
    port: String(port),
    bind: LOOPBACK,
    dir: directory,
    save: '',
    'cluster-enabled': 'yes',
    'cluster-port': String(busPort),
    // A node that is killed is noticed by the others within a second.
    'cluster-node-timeout': '1000',
    // The slots of the others are served on.
    'cluster-require-full-coverage': 'no',
  };
  const launch = () =>
    startProcess({
      name,
      command: system().redis?.path ?? '',
      arguments: Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
      logFile: join(directory, 'redis.log'),
      guardian,
      stopSignals: [],
    });
  let server = await launch();
  const command = async (first: string, ...parameters: (string | number)[]) => {
    const redis = new Redis(port, LOOPBACK);
    // A node that has just been started does not listen yet; the client tries again.
    redis.on('error', () => {});
    try {
      return await redis.call(first, ...parameters);
    } finally {
      redis.disconnect();
    }
  };
  return {
    port,
    url: `redis://${LOOPBACK}:${port}`,
    command,
    async kill() {
      await server.stop();
    },
    async start() {
      server = await launch();
      await command('ping');
    },
  };
}
