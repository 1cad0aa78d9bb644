import {
  connect,
  headersOf,
  listen,
  USER_PATH_PREFIX,
  type UserRow,
  userOf,
  variable,
} from './listen.ts';

/** Bare node:http and one prepared select (postgres.js prepares each statement once a connection). */
const sql = connect(variable('DATABASE_READER_URLS'));

listen(async (request, response) => {
  const id = (request.url ?? '').slice(USER_PATH_PREFIX.length);
  const [row] = await sql<UserRow[]>`
    select id, name, email, status, created_at, updated_at, version from users where id = ${id}
  `;
  if (row === undefined) {
    response.writeHead(404).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(userOf(row)));
  response.writeHead(200, headersOf(body, row.version));
  response.end(body);
});
