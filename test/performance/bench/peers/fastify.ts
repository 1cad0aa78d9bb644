import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { collectDefaultMetrics, Histogram, register } from 'prom-client';
import {
  ID,
  logDestination,
  POOL_SIZE,
  RATE_LIMIT,
  RATE_LIMIT_WINDOW_MILLISECONDS,
  REDIS_OPTIONS,
  variable,
} from './settings.ts';
import { readUser } from './users.ts';

/** The peer on Fastify: see README.md. */

const redis = new Redis(variable('REDIS_URL'), REDIS_OPTIONS);
const sql = postgres(variable('DATABASE_READER_URLS'), { max: POOL_SIZE });

collectDefaultMetrics();
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time from a request to the end of its response',
  labelNames: ['method', 'route', 'status'],
});

const app = fastify({
  logger: { level: 'info', stream: logDestination() },
  // One line for each request, written below, in place of one when it comes and one when it is answered.
  disableRequestLogging: true,
  requestIdHeader: 'x-request-id',
  genReqId: () => randomUUID(),
});

app.addHook('onRequest', async (request, reply) => {
  reply.header('x-request-id', request.id);
});
app.addHook('onResponse', async (request, reply) => {
  const route = request.routeOptions.url ?? 'none';
  durations.observe(
    { method: request.method, route, status: reply.statusCode },
    reply.elapsedTime / 1_000,
  );
  request.log.info(
    { method: request.method, route, status: reply.statusCode, milliseconds: reply.elapsedTime },
    'request',
  );
});

await app.register(rateLimit, {
  max: RATE_LIMIT,
  timeWindow: RATE_LIMIT_WINDOW_MILLISECONDS,
  redis,
  enableDraftSpec: true,
});

app.get<{ Params: { id: string } }>('/api/v1/users/:id', async (request, reply) => {
  const { id } = request.params;
  const json = ID.test(id) ? await readUser(redis, sql, id) : null;
  if (json === null) return await reply.code(404).send({ title: 'There is no such user' });
  return await reply.type('application/json').send(json);
});
app.get('/metrics', async (_request, reply) =>
  reply.type(register.contentType).send(await register.metrics()),
);

await app.listen({ port: Number(variable('PORT')), host: '127.0.0.1' });
