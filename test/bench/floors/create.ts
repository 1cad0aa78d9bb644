import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import {
  connect,
  createdUserOf,
  headersOf,
  listen,
  USERS_PATH,
  type UserRow,
  variable,
} from './listen.ts';

/** Bare node:http and one hand-written statement that inserts the user and its event. Nothing is checked, and nothing sent. */
const sql = connect(variable('DATABASE_URL'));

listen(async (request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(405).end();
    return;
  }
  const { name, email } = JSON.parse((await buffer(request)).toString());
  const [row] = await sql<UserRow[]>`
    with created as (
      insert into users (name, email) values (${name}, ${email}) returning *
    ), event as (
      insert into outbox (id, type, data, created_at, available_at)
      select ${randomUUID()}::uuid, 'user.created', jsonb_build_object('userId', id), created_at,
        created_at + interval '10 seconds'
      from created
    )
    select id, name, email, status, created_at, updated_at, version from created
  `;
  if (row === undefined) {
    response.writeHead(500).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(createdUserOf(row)));
  response.writeHead(201, {
    ...headersOf(body, row.version),
    location: `${USERS_PATH}/${row.id}`,
  });
  response.end(body);
});
