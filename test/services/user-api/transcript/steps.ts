/** One request of the transcript, and what is kept of its response. */
export interface Step {
  /** What a reader is told before it. */
  readonly says?: string;
  /** Heading that begins with it. */
  readonly heading?: string;
  readonly method?: string;
  readonly path: string;
  /** `$NAME` stands for what an earlier step kept. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or the text that is sent as it is. */
  readonly body?: unknown;
  /** What is shown in place of a body or a query that would fill pages. */
  readonly shownAs?: string;
  /** Fields of the response that later steps use, by the name they use. */
  readonly keeps?: Readonly<Record<string, string>>;
  /** Sent so many times before, without being shown. */
  readonly timesBefore?: number;
}

const json = { 'content-type': 'application/json' };
const asGrace = { authorization: 'Bearer $TOKEN' };
const USERS = '/api/v1/users';
const password = 'nineteen-fortyseven-moth';
const email = 'grace@example.com';
const login = { method: 'POST', path: '/api/v1/auth/login', headers: json } as const;
const create = { method: 'POST', path: USERS, headers: json } as const;

/** A new user who comes in. */
const comingIn: readonly Step[] = [
  {
    heading: 'Coming in',
    ...create,
    body: { name: 'Grace Hopper', email, password },
    keeps: { ID: 'id' },
  },
  {
    ...login,
    body: { email, password },
    keeps: { TOKEN: 'accessToken', REFRESH: 'refreshToken' },
  },
  { path: '/api/v1/auth/me', headers: asGrace },
  { says: 'Everybody sees the public profile, which has no email address.', path: `${USERS}/$ID` },
  {
    says: 'A new pair of tokens, when the access token is over. Each refresh token is good once.',
    method: 'POST',
    path: '/api/v1/auth/refresh',
    headers: json,
    body: { refreshToken: '$REFRESH' },
    keeps: { TOKEN: 'accessToken' },
  },
  {
    says: 'A key for a program, told this once.',
    method: 'POST',
    path: `${USERS}/$ID/api-keys`,
    headers: { ...asGrace, ...json },
    body: { name: 'nightly export', scopes: ['users:read-private'] },
    keeps: { KEY: 'key' },
  },
  { path: `${USERS}/$ID`, headers: { 'x-api-key': '$KEY' } },
];

const notLetIn: readonly Step[] = [
  {
    heading: 'Not being let in',
    says: 'A token that somebody has changed.',
    path: '/api/v1/auth/me',
    headers: { authorization: 'Bearer $TOKENx' },
  },
  { says: 'No token.', path: '/api/v1/auth/me' },
  {
    says: 'Another scheme.',
    path: '/api/v1/auth/me',
    headers: { authorization: 'Basic Z3JhY2U6bW90aA==' },
  },
  {
    says: 'An API key that is none. It is refused where none is needed, too, because whoever sends it means it to count.',
    path: `${USERS}/$ID`,
    headers: { 'x-api-key': 'hrk_mistyped' },
  },
  { says: 'A wrong password.', ...login, body: { email, password: 'not the right password' } },
  {
    says: 'An address that nobody has: the same response, in the same time.',
    ...login,
    body: { email: 'nobody@example.com', password: 'not the right password' },
  },
  {
    says: 'Somebody else’s user.',
    method: 'PATCH',
    path: `${USERS}/$OTHER`,
    headers: { ...asGrace, ...json },
    body: { name: 'Mine now' },
  },
  {
    says: 'What only administrators may.',
    method: 'PUT',
    path: `${USERS}/$ID/role`,
    headers: { ...asGrace, ...json },
    body: { role: 'admin' },
  },
  {
    says: 'What the key’s scopes do not open.',
    method: 'PATCH',
    path: `${USERS}/$ID`,
    headers: { 'x-api-key': '$KEY', ...json },
    body: { name: 'Renamed by a program' },
  },
];

const versions: readonly Step[] = [
  {
    heading: 'Changing, once and for sure',
    method: 'PATCH',
    path: `${USERS}/$ID`,
    headers: { ...asGrace, ...json, 'if-match': '"v1"' },
    body: { name: 'Rear Admiral Hopper' },
  },
  {
    says: 'The same precondition again: somebody, here oneself, was quicker.',
    method: 'PATCH',
    path: `${USERS}/$ID`,
    headers: { ...asGrace, ...json, 'if-match': '"v1"' },
    body: { name: 'Admiral Hopper' },
  },
  {
    says: 'What one has already.',
    path: `${USERS}/$ID`,
    headers: { 'if-none-match': '"v2"' },
  },
  {
    says: 'A creation with an Idempotency-Key, and the same request again.',
    ...create,
    headers: { ...json, 'idempotency-key': '2c1a6b1e-5f0e-4a0e-8a86-2f8d7d0b8a55' },
    body: { name: 'Ada Lovelace', email: 'ada@example.com' },
    timesBefore: 1,
  },
  {
    says: 'The same key with another body.',
    ...create,
    headers: { ...json, 'idempotency-key': '2c1a6b1e-5f0e-4a0e-8a86-2f8d7d0b8a55' },
    body: { name: 'Ada King', email: 'ada@example.com' },
  },
];

const malformed: readonly Step[] = [
  { heading: 'Malformed things', says: 'A body that is no JSON.', ...create, body: '{' },
  { says: 'No body.', ...create, body: '' },
  { says: 'Another media type.', ...create, headers: { 'content-type': 'text/plain' }, body: 'x' },
  {
    says: 'Fields that are wrong, missing or unknown: all of them are named.',
    ...create,
    body: { email: 'nope', admin: true },
  },
  { says: 'An address that is taken.', ...create, body: { name: 'Grace', email } },
  {
    says: 'A password that many had before.',
    ...create,
    body: { name: 'Joan', email: 'joan@example.com', password: '1qaz2wsx3edc4rfv' },
  },
  {
    says: 'An Idempotency-Key that is none.',
    ...create,
    headers: { ...json, 'idempotency-key': 'a key' },
    body: { name: 'Joan', email: 'joan@example.com' },
  },
  {
    says: 'Too large a body.',
    ...create,
    body: `{"name":"${'x'.repeat(70_000)}"}`,
    shownAs: '@70-kilobytes.json',
  },
  { says: 'An id that is none, or nobody’s.', path: `${USERS}/1e3` },
  { says: 'A limit out of range.', path: `${USERS}?limit=1000` },
  { says: 'A parameter that there is not.', path: `${USERS}?offset=10` },
  { says: 'A parameter given twice.', path: `${USERS}?limit=1&limit=2` },
  { says: 'A cursor that was tampered with.', path: `${USERS}?cursor=AAAAAAAAAAAAAAAAAAAAAA` },
  { says: 'A page too deep to count to.', path: `${USERS}?page=600&per_page=100` },
  {
    says: 'An URL that is too long.',
    path: `${USERS}?name_prefix=${'x'.repeat(2_100)}`,
    shownAs: `${USERS}?name_prefix=xxx…`,
  },
  { says: 'Nothing there.', path: '/api/v1/people' },
  { says: 'A method that is not taken there.', method: 'DELETE', path: USERS },
];

const leaving: readonly Step[] = [
  {
    heading: 'Leaving',
    says: 'Everywhere at once. Afterwards the access token is worth nothing, either.',
    method: 'DELETE',
    path: `${USERS}/$ID/sessions`,
    headers: asGrace,
  },
  { path: '/api/v1/auth/me', headers: asGrace },
];

export const steps: readonly Step[] = [
  ...comingIn,
  ...notLetIn,
  ...versions,
  ...malformed,
  ...leaving,
];

/** What is sent to an API with low limits. */
export const limitedSteps: readonly Step[] = [
  {
    heading: 'Too much at once',
    says: 'Started with `RATE_LIMITS=creates=2/60,reads=3/60,unknown-api-keys=2/60,logins=100/60 npm start`. The third creation within the minute:',
    ...create,
    body: { name: 'Joan', email: 'joan@example.com' },
    timesBefore: 2,
  },
  { says: 'A read that still passes says what is left.', path: `${USERS}/1` },
  { says: 'The fourth of them does not.', path: `${USERS}/1`, timesBefore: 2 },
  {
    says: 'A third API key that is made up. The database is not asked any more.',
    method: 'PATCH',
    path: `${USERS}/1`,
    headers: { 'x-api-key': '$MADE_UP', ...json },
    body: { name: 'x' },
    timesBefore: 2,
  },
  {
    says: 'After five wrong passwords for one account, from wherever, the next guess has to wait, and so has the right one.',
    ...login,
    body: { email: 'grace@example.com', password: 'not the right password' },
    timesBefore: 6,
  },
];
