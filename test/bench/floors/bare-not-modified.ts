import {
  allHeadersOf,
  connect,
  listen,
  USER_PATH_PREFIX,
  type UserRow,
  variable,
} from './listen.ts';

/** Bare node:http that answers 304 where If-None-Match names the user's version, with all the header fields of Headroom's 304. */
const sql = connect(variable('DATABASE_URL'));
const rows = await sql<UserRow[]>`select * from users order by id limit 1000`;
await sql.end();

const answers = new Map(
  rows.map(({ id, version }) => {
    const answer = { etag: `"v${version}"`, headers: allHeadersOf(null, version) };
    return [`${USER_PATH_PREFIX}${id}`, answer];
  }),
);

listen((request, response) => {
  const answer = answers.get(request.url ?? '');
  if (answer === undefined || request.headers['if-none-match'] !== answer.etag) {
    response.writeHead(answer === undefined ? 404 : 200).end();
    return;
  }
  response.writeHead(304, answer.headers);
  response.end();
});
