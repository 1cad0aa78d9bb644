import { randomUUID } from 'node:crypto';
import { respondInserted } from './insert-user.ts';
import { connect, listen, variable } from './listen.ts';

/** Bare node:http and one statement for each request. The event stays in the outbox. */
const sql = connect(variable('DATABASE_URL'));

listen(async (request, response) => {
  if (request.method === 'POST') await respondInserted(sql, randomUUID(), request, response);
  else response.writeHead(405).end();
});
