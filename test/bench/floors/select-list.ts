import { connect, listen, type UserRow, userOf, variable } from './listen.ts';

/** Bare node:http and the select of one page, with the cursor of the next one. */
const sql = connect(variable('DATABASE_READER_URLS'));
const CURSOR = /[?&]cursor=([^&]*)/;
const LIMIT = 20;

listen(async (request, response) => {
  const cursor = CURSOR.exec(request.url ?? '')?.[1] ?? '';
  const after = Buffer.from(cursor, 'base64url').toString('latin1').slice('id:'.length) || '0';
  const rows = await sql<UserRow[]>`
    select id, name, email, status, created_at, updated_at, version
    from users where id > ${after} order by id limit ${LIMIT + 1}
  `;
  const page = rows.slice(0, LIMIT);
  const last = rows.length > LIMIT ? page.at(-1)?.id : undefined;
  const nextCursor = last === undefined ? null : Buffer.from(`id:${last}`).toString('base64url');
  const body = Buffer.from(JSON.stringify({ data: page.map(userOf), nextCursor }));
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'private, no-cache',
  });
  response.end(body);
});
