import { headersOf, listen, readUsers, USER_PATH_PREFIX, userOf } from './listen.ts';

/** Bare node:http: the bytes of 1,000 users, made before the first request, by URL. */
const users = await readUsers();
const answers = new Map(
  users.map((row) => {
    const body = Buffer.from(JSON.stringify(userOf(row)));
    return [`${USER_PATH_PREFIX}${row.id}`, { body, headers: headersOf(body, row.version) }];
  }),
);

listen((request, response) => {
  const answer = answers.get(request.url ?? '');
  if (answer === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, answer.headers);
  response.end(answer.body);
});
