import { randomUUID } from 'node:crypto';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { pinoHttp } from 'pino-http';
import postgres from 'postgres';
import { collectDefaultMetrics, Histogram, register } from 'prom-client';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
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

/** The peer on Express: see README.md. */

const redis = new Redis(variable('REDIS_URL'), REDIS_OPTIONS);
const sql = postgres(variable('DATABASE_READER_URLS'), { max: POOL_SIZE });

collectDefaultMetrics();
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time from a request to the end of its response',
  labelNames: ['method', 'route', 'status'],
});

const app = express();
app.disable('x-powered-by');

app.use(
  pinoHttp(
    {
      genReqId: (request, response) => {
        const given = request.headers['x-request-id'];
        const id = typeof given === 'string' ? given : randomUUID();
        response.setHeader('x-request-id', id);
        return id;
      },
    },
    logDestination(),
  ),
);
app.use((request, response, next) => {
  const stop = durations.startTimer();
  response.on('finish', () => {
    const route: unknown = request.route?.path;
    stop({
      method: request.method,
      route: typeof route === 'string' ? route : 'none',
      status: response.statusCode,
    });
  });
  next();
});
app.use(
  rateLimit({
    limit: RATE_LIMIT,
    windowMs: RATE_LIMIT_WINDOW_MILLISECONDS,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    store: new RedisStore({
      sendCommand: (command: string, ...parameters: string[]) =>
        redis.call(command, ...parameters) as Promise<RedisReply>,
    }),
  }),
);

app.get('/api/v1/users/:id', async (request, response) => {
  const { id } = request.params;
  const json = ID.test(id) ? await readUser(redis, sql, id) : null;
  if (json === null) response.status(404).json({ title: 'There is no such user' });
  else response.type('application/json').send(json);
});
app.get('/metrics', async (_request, response) => {
  response.type(register.contentType).send(await register.metrics());
});

app.listen(Number(variable('PORT')), '127.0.0.1');
