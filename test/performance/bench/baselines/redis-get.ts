import { Redis } from 'ioredis';
import { headersOf, listen, readUsers, USER_PATH_PREFIX, userOf, variable } from './listen.ts';

/** Bare node:http and one Redis GET, which brings the bytes to send. */
const redis = new Redis(variable('REDIS_URL'));
const keyOf = (id: string) => `floor:user:${id}`;

const users = await readUsers();
await redis.mset(users.flatMap((row) => [keyOf(row.id), JSON.stringify(userOf(row))]));
/** Every user of the benchmark has version 1. */
const VERSION = 1;

listen(async (request, response) => {
  const id = (request.url ?? '').slice(USER_PATH_PREFIX.length);
  const body = await redis.getBuffer(keyOf(id));
  if (body === null) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, headersOf(body, VERSION));
  response.end(body);
});
