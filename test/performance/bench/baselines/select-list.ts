import { z } from 'zod';
import { ALL_USERS, benchmarkCursors } from '../cursors.ts';
import { connect, listen, type UserRow, userOf, variable } from './listen.ts';

/** Bare node:http and the select of one page, with the cursor of the next one. */
const sql = connect(variable('DATABASE_READER_URLS'));
const CURSOR = /[?&]cursor=([^&]*)/;
const LIMIT = 20;
const cursors = benchmarkCursors();
const POSITION = z.tuple([z.string(), z.number()]);

listen(async (request, response) => {
  const cursor = CURSOR.exec(request.url ?? '')?.[1] ?? '';
  const [time, id] =
    cursor === '' ? ['-infinity', 0] : POSITION.parse(cursors.decode(ALL_USERS, cursor));
  const rows = await sql<UserRow[]>`
    select id, name, email, status, created_at, updated_at, version
    from users where (created_at, id) > (${time}::text::timestamptz, ${id})
    order by created_at, id limit ${LIMIT + 1}
  `;
  const page = rows.slice(0, LIMIT);
  const last = rows.length > LIMIT ? page.at(-1) : undefined;
  const nextCursor =
    last === undefined
      ? null
      : cursors.encode(ALL_USERS, [last.created_at.toISOString(), Number(last.id)]);
  const body = Buffer.from(JSON.stringify({ data: page.map(userOf), nextCursor }));
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'private, no-cache',
  });
  response.end(body);
});
