import {
  connect,
  headersOf,
  listen,
  USER_PATH_PREFIX,
  type UserRow,
  userOf,
  variable,
} from './listen.ts';

/** Bare node:http as ./bare.ts, but with those headers only that belong to the answer as such: none of a feature. */
const sql = connect(variable('DATABASE_URL'));
const rows = await sql<UserRow[]>`select * from users order by id limit 1000`;
await sql.end();

const answers = new Map(
  rows.map((row) => {
    const body = Buffer.from(JSON.stringify(userOf(row)));
    const headers = Object.entries(headersOf(body, row.version)).flat().map(String);
    return [`${USER_PATH_PREFIX}${row.id}`, { text: body.toString('latin1'), headers }];
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
