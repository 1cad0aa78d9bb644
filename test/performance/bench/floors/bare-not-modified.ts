import { allHeadersOf, listen, readUsers, USER_PATH_PREFIX } from './listen.ts';

/** Bare node:http that answers 304 where If-None-Match names the user's version, with all the header fields of Headroom's 304. */
const users = await readUsers();

const answers = new Map(
  users.map(({ id, version }) => {
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
