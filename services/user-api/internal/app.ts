import { STATUS_CODES } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { Readable } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { environmentVariables } from '../../contracts/environment/variables.ts';
import { HOSTS_ALLOWED, isAddressedDirectly } from '../../contracts/host-check.ts';
import type { Logger } from '../observability/logger.ts';
import {
  type DiagnosticFile,
  type Diagnostics,
  DiagnosticsBusy,
  DiagnosticsFailed,
} from './diagnostics.ts';

/** An error of the internal port, for people, as RFC 9457 has it. */
function problem(status: number, detail: string): Response {
  return Response.json(
    { title: STATUS_CODES[status], status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}

interface InternalEnvironment {
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
const refuseOtherNames: MiddlewareHandler<InternalEnvironment> = async (context, next) => {
  if (isAddressedDirectly(context.req.header('host'))) return await next();
  return problem(421, `Ask for ${HOSTS_ALLOWED}: the Host field names another.`);
};

/**
 * Refuses what a web page sends: an operator's browser may be on the machine, and a page from elsewhere in it must not reach us through
 * it. Browsers say where a request comes from in `Sec-Fetch-Site` (`none`: somebody typed the address) and, unless it is a plain
 * GET, in `Origin`.
 */
const refuseWebPages: MiddlewareHandler<InternalEnvironment> = async (context, next) => {
  const site = context.req.header('sec-fetch-site') ?? 'none';
  if (site !== 'none' || context.req.header('origin') !== undefined) {
    return problem(403, 'Web pages may not ask here.');
  }
  return await next();
};

/** Refuses who is not on this machine, or in this task. */
const onlyFromThisMachine: MiddlewareHandler<InternalEnvironment> = async (context, next) => {
  if (!isLoopback(context.env.incoming.socket.remoteAddress)) {
    return problem(403, 'Only from this machine itself: connect to the loopback address there.');
  }
  return await next();
};

export interface InternalAppParts {
  readonly registry: Registry;
  /** The logger whose level is shown and set. */
  readonly logger: Logger;
  /** Null: none can be taken. */
  readonly diagnostics: Diagnostics | null;
}

const PROFILE_MAXIMUM_SECONDS = 60;
const PROFILE_DEFAULT_SECONDS = 10;

const { LOG_LEVEL } = environmentVariables;
const levelBody = z.strictObject({ level: LOG_LEVEL.type.unwrap() });
const profileQuery = z.object({
  seconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(PROFILE_MAXIMUM_SECONDS)
    .default(PROFILE_DEFAULT_SECONDS),
});

/**
 * What operators ask of one process: metrics for all who can reach the port, and, only from this machine itself, the level of the log and
 * diagnostics.
 */
export function createInternalApp({ registry, logger, diagnostics }: InternalAppParts) {
  const app = new Hono<InternalEnvironment>();
  app.notFound(() =>
    problem(
      404,
      'There are GET /metrics, GET and PUT /log-level, POST /diagnostics/heap-snapshot, POST /diagnostics/cpu-profile and GET /diagnostics/files/{name}.',
    ),
  );
  app.onError((error) => {
    if (error instanceof DiagnosticsBusy) return problem(409, `${error.message}; ask again later.`);
    if (error instanceof DiagnosticsFailed) return problem(500, error.message);
    logger.error({ error }, 'A request to the internal port failed');
    return problem(500, 'See the log.');
  });
  app.use(refuseOtherNames);
  app.use(refuseWebPages);
  app.use('/log-level', onlyFromThisMachine);
  app.use('/diagnostics/*', onlyFromThisMachine);

  app.get('/metrics', async (context) =>
    context.text(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  );

  app.get('/log-level', (context) => context.json({ level: logger.level }));
  app.put('/log-level', async (context) => {
    const body = levelBody.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) {
      return problem(400, `The body must be {"level": <level>}, with ${LOG_LEVEL.takes}.`);
    }
    setLevel(logger, body.data.level);
    return context.json(body.data);
  });

  if (diagnostics === null) {
    app.all('/diagnostics/*', () =>
      problem(403, 'Not enabled: set DIAGNOSTICS_DIRECTORY to a folder for the files.'),
    );
  } else app.route('/diagnostics', createDiagnosticsApp(diagnostics));
  return app;
}

function createDiagnosticsApp(diagnostics: Diagnostics) {
  const app = new Hono<InternalEnvironment>();
  app.post('/heap-snapshot', async (context) =>
    response(context, await diagnostics.heapSnapshot()),
  );
  app.post('/cpu-profile', async (context) => {
    const query = profileQuery.safeParse(context.req.query());
    if (!query.success) {
      return problem(400, `seconds must be a whole number from 1 to ${PROFILE_MAXIMUM_SECONDS}.`);
    }
    return response(context, await diagnostics.cpuProfile(query.data.seconds));
  });
  app.get('/files/:name', async (context) => {
    const file = await diagnostics.read(context.req.param('name'));
    if (file === null) return problem(404, 'No such file was taken here.');
    return context.body(Readable.toWeb(file), 200, { 'content-type': 'application/octet-stream' });
  });
  return app;
}

/** Logs the change at whichever of the two levels lets it through. */
function setLevel(logger: Logger, level: string): void {
  const from = logger.level;
  const log = () => logger.warn({ from, to: level }, 'Log level changed');
  const isLogged = logger.isLevelEnabled('warn');
  if (isLogged) log();
  logger.level = level;
  if (!isLogged) log();
}

function response(context: Context<InternalEnvironment>, { name, path, bytes }: DiagnosticFile) {
  return context.json({ path, bytes, download: `/diagnostics/files/${name}` }, 201);
}
