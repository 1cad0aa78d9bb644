import { listen, readUsers, USER_PATH_PREFIX } from './listen.ts';

/** Bare node:http that answers 304 where If-None-Match names the user's version. */
const users = await readUsers();
const tags = new Map(users.map((row) => [`${USER_PATH_PREFIX}${row.id}`, `"v${row.version}"`]));

listen((request, response) => {
  const etag = tags.get(request.url ?? '');
  if (etag === undefined || request.headers['if-none-match'] !== etag) {
    response.writeHead(etag === undefined ? 404 : 200).end();
    return;
  }
  response.writeHead(304, { 'cache-control': 'private, no-cache', etag });
  response.end();
});
