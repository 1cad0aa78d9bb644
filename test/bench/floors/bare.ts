import {
  allHeadersOf,
  connect,
  listen,
  USER_PATH_PREFIX,
  type UserRow,
  userOf,
  variable,
} from './listen.ts';

/**
 * Bare node:http that serves the same bytes as Headroom does, with all its header fields: those of 1,000 users, made before the first request, by
 * URL. Written as is fastest: fields as one array, and the body as text, which goes out in one piece with them.
 */
const sql = connect(variable('DATABASE_URL'));
const rows = await sql<UserRow[]>`select * from users order by id limit 1000`;
await sql.end();

const answers = new Map(
  rows.map((row) => {
    const body = Buffer.from(JSON.stringify(userOf(row)));
    const answer = { text: body.toString('latin1'), headers: allHeadersOf(body, row.version) };
    return [`${USER_PATH_PREFIX}${row.id}`, answer];
  }),
);

listen((request, response) => {
  const answer = answers.get(request.url ?? '');
  if (answer === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, answer.headers);
  response.end(answer.text, 'latin1');
});
