import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Between two health checks of a target, in milliseconds. */
export const CHECK_INTERVAL_MILLISECONDS = 100;
/** Checks in a row that take a target out, or in. */
export const CHECKS = 2;

/** To each target at most. */
const CONNECTIONS = 40;

interface Target {
  readonly port: number;
  readonly agent: Agent;
  /** Health checks in a row with the same result. */
  run: number;
  lastResult: boolean;
  isHealthy: boolean;
}

/** Stands before several processes as an Application Load Balancer does. */
export interface LoadBalancer {
  readonly port: number;
  /** Adds a target, and resolves when it gets requests. */
  add(port: number): Promise<void>;
  remove(port: number): void;
  close(): void;
}

/**
 * Starts a load balancer on a free port of the loopback address. It checks `/health/ready`, keeps connections to its targets, takes turns among those
 * that are healthy, and repeats nothing: a connection that a target closes under a request gets 502, none healthy 503.
 */
export async function startLoadBalancer(): Promise<LoadBalancer> {
  const targets = new Map<number, Target>();
  let turn = 0;

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const healthy = [...targets.values()].filter(({ isHealthy }) => isHealthy);
    const target = healthy[turn++ % healthy.length];
    if (target === undefined) {
      outgoing.writeHead(503).end('no target is healthy');
      return;
    }
    const { agent, port } = target;
    const { headers, method, url } = incoming;
    const { connection: _, ...passedOn } = headers;
    const onward = request({
      agent,
      port,
      host: '127.0.0.1',
      method,
      path: url,
      headers: passedOn,
    });
    onward.on('response', (response) => {
      const { connection: _hop, 'keep-alive': _also, ...responded } = response.headers;
      outgoing.writeHead(response.statusCode ?? 0, responded);
      response.pipe(outgoing);
      response.on('error', () => outgoing.destroy());
    });
    onward.on('error', (error) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(`${error}`);
    });
    incoming.pipe(onward);
  };

  async function check(target: Target): Promise<void> {
    while (targets.get(target.port) === target) {
      const isReady = await fetch(`http://127.0.0.1:${target.port}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      target.run = isReady === target.lastResult ? target.run + 1 : 1;
      target.lastResult = isReady;
      if (target.run >= CHECKS) target.isHealthy = isReady;
      await wait(CHECK_INTERVAL_MILLISECONDS);
    }
  }

  const remove = (port: number) => {
    targets.get(port)?.agent.destroy();
    targets.delete(port);
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, forward);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async add(port) {
      const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
      const target = { port, agent, run: 0, lastResult: false, isHealthy: false };
      targets.set(port, target);
      void check(target);
      while (!target.isHealthy) await wait(CHECK_INTERVAL_MILLISECONDS);
    },
    remove,
    close() {
      for (const port of targets.keys()) remove(port);
      server.close();
      server.closeAllConnections();
    },
  };
}
