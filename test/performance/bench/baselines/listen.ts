import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import postgres from 'postgres';

/**
 * What the baselines share. A baseline is the least code that gives a response at all, without any feature: what a framework, limits,
 * metrics and logs cost is measured against it.
 */

export const USERS_PATH = '/api/v1/users';
export const USER_PATH_PREFIX = `${USERS_PATH}/`;

/** Starts a server on the port in the variable PORT, on loopback. */
export function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  createServer(listener).listen(Number(variable('PORT')), '127.0.0.1');
}

export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`The variable ${name} is not set`);
  return value;
}

/** The size of the pools of all that is compared: the default of DATABASE_POOL_SIZE. */
const POOL_SIZE = 10;

export function connect(url: string): postgres.Sql {
  return postgres(url, { max: POOL_SIZE, fetch_types: false, onnotice: () => {} });
}

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly status: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly version: number;
}

/** The 1,000 users that most cases ask for, read before the first request. */
export async function readUsers(): Promise<readonly UserRow[]> {
  const sql = connect(variable('DATABASE_URL'));
  const rows = await sql<UserRow[]>`select * from users order by id limit 1000`;
  await sql.end();
  return rows;
}

/** The user as the API shows it to everybody. */
export function userOf(row: UserRow) {
  return {
    id: Number(row.id),
    name: row.name,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    version: row.version,
  };
}

/** The user as the API shows it to who has created it. */
export function createdUserOf(row: UserRow) {
  const { id, name, ...others } = userOf(row);
  return { id, name, email: row.email, ...others };
}

/** The headers that belong to the response as such, with or without features. */
export function headersOf(body: Buffer, version: number) {
  return {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'public, no-cache',
    etag: `"v${version}"`,
  };
}

/** What Headroom's features add to a response, with values as long as its own. */
const FEATURE_HEADERS = {
  'x-request-id': '4a3f5c1e-9d27-8b60-8c4e-d5a1f0937b26',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'ratelimit-policy': '"reads";q=10000000;w=1',
  ratelimit: '"reads";r=9999876;t=1',
} as const;

/**
 * The header fields of Headroom's answer, names and values in turn.
 *
 * @param body - null: of its 304.
 */
export function allHeadersOf(body: Buffer | null, version: number): string[] {
  const { etag, ...others } = headersOf(body ?? Buffer.alloc(0), version);
  return Object.entries({
    ...FEATURE_HEADERS,
    ...(body === null ? {} : { 'content-type': others['content-type'] }),
    'cache-control': others['cache-control'],
    vary: 'authorization, origin, x-api-key',
    etag,
    ...(body === null ? {} : { 'content-length': String(others['content-length']) }),
  }).flat();
}

/**
 * Serves the users' bytes, made before the first request, by URL. Written as is fastest: fields as one array, names and values in turn, and the
 * body as text, which goes out in one piece with them.
 */
export async function listenWithUsers(
  fieldsOf: (body: Buffer, version: number) => string[],
): Promise<void> {
  const users = await readUsers();
  const responses = new Map(
    users.map((row) => {
      const body = Buffer.from(JSON.stringify(userOf(row)));
      const response = { text: body.toString('latin1'), headers: fieldsOf(body, row.version) };
      return [`${USER_PATH_PREFIX}${row.id}`, response];
    }),
  );
  listen((request, response) => {
    const prepared = responses.get(request.url ?? '');
    if (prepared === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, prepared.headers);
    response.end(prepared.text, 'latin1');
  });
}
