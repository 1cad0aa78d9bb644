import { STATUS_CODES } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { HOSTS_ALLOWED, isAddressedDirectly } from '../../contracts/host-check.ts';

/** An error of the internal port, for people, as RFC 9457 has it. */
export function problem(status: number, detail: string): Response {
  return Response.json(
    { title: STATUS_CODES[status], status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}

export interface InternalEnvironment {
  Bindings: HttpBindings;
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Refuses names other than `localhost`: a page whose own name resolves here (DNS rebinding) is of the same origin, and may read. */
export const refuseOtherNames: MiddlewareHandler<InternalEnvironment> = async (context, next) => {
  if (isAddressedDirectly(context.req.header('host'))) return await next();
  return problem(421, `Ask for ${HOSTS_ALLOWED}: the Host field names another.`);
};

/**
 * Refuses what a web page sends: an operator's browser may be on the machine, and a page from elsewhere in it must not reach us through
 * it. Browsers say where a request comes from in `Sec-Fetch-Site` (`none`: somebody typed the address) and, unless it is a plain
 * GET, in `Origin`.
 */
export const refuseWebPages: MiddlewareHandler<InternalEnvironment> = async (context, next) => {
  const site = context.req.header('sec-fetch-site') ?? 'none';
  if (site !== 'none' || context.req.header('origin') !== undefined) {
    return problem(403, 'Web pages may not ask here.');
  }
  return await next();
};

/** Refuses who is not on this machine, or in this task. */
export const onlyFromThisMachine: MiddlewareHandler<InternalEnvironment> = async (
  context,
  next,
) => {
  if (!isLoopback(context.env.incoming.socket.remoteAddress)) {
    return problem(403, 'Only from this machine itself: connect to the loopback address there.');
  }
  return await next();
};
