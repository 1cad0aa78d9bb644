import { allHeadersOf, listen, readUsers, USER_PATH_PREFIX } from './listen.ts';

/** Bare node:http that responds with 304 where If-None-Match names the user's version, with all the header fields of Headroom's 304. */
const users = await readUsers();

const responses = new Map(
  users.map(({ id, version }) => {
    const response = { etag: `"v${version}"`, headers: allHeadersOf(null, version) };
    return [`${USER_PATH_PREFIX}${id}`, response];
  }),
);

listen((request, response) => {
  const prepared = responses.get(request.url ?? '');
  if (prepared === undefined || request.headers['if-none-match'] !== prepared.etag) {
    response.writeHead(prepared === undefined ? 404 : 200).end();
    return;
  }
  response.writeHead(304, prepared.headers);
  response.end();
});
