import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Sql } from 'postgres';
import { createdUserOf, headersOf, USERS_PATH, type UserRow } from './listen.ts';

/** One hand-written statement that inserts the user of a request and its event, and the response. Nothing is checked. */
export async function respondInserted(
  sql: Sql,
  eventId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<UserRow> {
  const { name, email } = JSON.parse((await buffer(request)).toString());
  const [row] = await sql<UserRow[]>`
    with created as (
      insert into users (name, email) values (${name}, ${email}) returning *
    ), event as (
      insert into outbox (id, type, data, created_at, available_at)
      select ${eventId}::uuid, 'user.created', jsonb_build_object('userId', id), created_at,
        created_at + interval '10 seconds'
      from created
    )
    select id, name, email, status, created_at, updated_at, version from created
  `;
  if (row === undefined) throw new Error('Nothing was inserted');
  const body = Buffer.from(JSON.stringify(createdUserOf(row)));
  response.writeHead(201, {
    ...headersOf(body, row.version),
    location: `${USERS_PATH}/${row.id}`,
  });
  response.end(body);
  return row;
}
