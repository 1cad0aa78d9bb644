import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import postgres, { type Sql } from 'postgres';
import type { Role, Tokens } from '../../../../../services/contracts/authentication.ts';
import type { PasswordResetRequested } from '../../../../../services/contracts/events.ts';
import type { UserStatus } from '../../../../../services/contracts/users.ts';
import { mountOperations } from '../../../../../services/user-api/app/app.ts';
import { createErrorHandler } from '../../../../../services/user-api/app/error-handler.ts';
import {
  type Authentication,
  type AuthenticationOptions,
  createAuthentication,
} from '../../../../../services/user-api/auth/authentication.ts';
import { protect } from '../../../../../services/user-api/auth/authorization.ts';
import { AccessError } from '../../../../../services/user-api/auth/errors.ts';
import type { LoginThrottle } from '../../../../../services/user-api/auth/logins/login-throttle.ts';
import { createSigningKeySet } from '../../../../../services/user-api/auth/tokens/key-rotation.ts';
import { DatabasePool } from '../../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../../services/user-api/database/router.ts';
import { accessProblemTypes } from '../../../../../services/user-api/http/access-problem-types.ts';
import { createJsonBodyReader } from '../../../../../services/user-api/http/body.ts';
import {
  type ApiBindings,
  type ApiEnvironment,
  ApiRequest,
  createBindings,
} from '../../../../../services/user-api/http/environment.ts';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';
import { LoginBackoff } from '../../../../../services/user-api/rate-limit/login-backoff.ts';
import { createRateLimits } from '../../../../../services/user-api/rate-limit/rate-limits.ts';
import { createRedis } from '../../../../../services/user-api/redis/redis.ts';
import { UserRepository } from '../../../../../services/user-api/users/repository.ts';
import {
  createUserRoute,
  deleteUserRoute,
  getUserRoute,
  listUsersRoute,
  replaceUserRoute,
  updateUserRoute,
} from '../../../../../services/user-api/users/routes.ts';
import type { TestDatabase } from '../../../../support/database.ts';

/** A hash of half a millisecond: what is tested is not how long it takes, unless a test says so. */
export const CHEAP_COST = { memoryKibibytes: 64, passes: 1, parallelism: 1 };
export const PASSWORD = 'correct horse battery staple';
const ISSUER = 'http://api.test';
const AUDIENCE = 'headroom-test';

export interface ReceivedResponse<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

export interface CallOptions {
  readonly token?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface AuthApiOptions {
  readonly database: Pick<TestDatabase, 'writerUrl' | 'readerUrl'>;
  readonly redisUrl?: string | undefined;
  /** The text of ACCESS_TOKEN_KEYS. @default a new set */
  readonly keys?: string;
  /** @default the backoff of the service, in this process alone */
  readonly throttle?: LoginThrottle;
  readonly options?: AuthenticationOptions;
  readonly passwordConcurrency?: number;
  /** Whether reads go to the replica. @default false */
  readonly readers?: boolean;
}

export interface AuthApi {
  readonly url: string;
  readonly authentication: Authentication;
  readonly router: DatabaseRouter;
  /** Events that were handed on to be sent. */
  readonly dispatched: readonly PasswordResetRequested[];
  /** Every line that was logged, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  call<Body = unknown>(
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<ReceivedResponse<Body>>;
  login(email: string, password?: string): Promise<ReceivedResponse<Tokens>>;
  stop(): Promise<void>;
}

/** What stands behind these is tested elsewhere; here it is who gets to them. */
const userRoutes = [
  createUserRoute,
  deleteUserRoute,
  getUserRoute,
  listUsersRoute,
  replaceUserRoute,
  updateUserRoute,
];

/** What the one error handler will do with errors of access. */
function accessErrorResponse(error: AccessError, requestId: string): Response {
  const { status, title } = accessProblemTypes[error.slug];
  const body = { type: `/problems/${error.slug}`, title, status, detail: error.message, requestId };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...error.headers,
    },
  });
}

/** The user API with logins and API keys, on real servers, as the service puts it together. */
export async function startAuthApi(options: AuthApiOptions): Promise<AuthApi> {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { LOG_LEVEL: 'info', STAGE: 'test' },
    { write: (line) => void log.push(JSON.parse(line)) },
  );
  const pool = (name: string, url: string) =>
    new DatabasePool({
      name,
      url,
      connection: {},
      size: 8,
      statementTimeoutMilliseconds: 2_000,
      logger,
    });
  const router = new DatabaseRouter(
    {
      writer: pool('writer', options.database.writerUrl),
      readers: options.readers === true ? [pool('reader-1', options.database.readerUrl)] : [],
    },
    logger,
  );
  const redis =
    options.redisUrl === undefined
      ? null
      : createRedis(
          {
            url: options.redisUrl,
            username: undefined,
            password: undefined,
            commandTimeoutMilliseconds: 500,
          },
          logger,
        );
  if (redis !== null) await new Promise((resolve) => redis.once('ready', resolve));
  const repository = new UserRepository(router);
  const dispatched: PasswordResetRequested[] = [];
  const authentication = await createAuthentication(
    {
      settings: {
        SERVICE_SECRET: 'a secret of tests, with enough characters',
        ACCESS_TOKEN_KEYS: options.keys ?? JSON.stringify(await createSigningKeySet()),
        ACCESS_TOKEN_ISSUER: ISSUER,
        ACCESS_TOKEN_AUDIENCE: AUDIENCE,
        PASSWORD_HASH_CONCURRENCY: options.passwordConcurrency,
      },
      router,
      redis,
      throttle: options.throttle ?? new LoginBackoff({}),
      unknownApiKeys: createRateLimits({}).unknownApiKeys,
      dispatch: (event) => void dispatched.push(event),
      findUser: (userId) => repository.find(userId, 'writer'),
      logger,
    },
    { passwords: { cost: CHEAP_COST }, ...options.options },
  );

  const app = new OpenAPIHono<ApiEnvironment>();
  const errorResponse = createErrorHandler(logger);
  app.onError((error, context) =>
    error instanceof AccessError
      ? accessErrorResponse(error, context.env.incoming.requestId)
      : errorResponse(error, context),
  );
  const readBody = createJsonBodyReader(65_536);
  const operations = [
    ...userRoutes.map((route) => ({ route, handler: () => new Response(null, { status: 204 }) })),
    ...authentication.operations(readBody),
  ];
  mountOperations(
    app,
    protect(
      operations,
      () =>
        ({ env }) =>
          authentication.authenticator.authenticate(env.incoming.headers, env.address),
    ),
  );

  const listener = getRequestListener((request, env) => {
    const { incoming, outgoing } = env as ApiBindings;
    return app.fetch(request, createBindings(incoming, outgoing, '127.0.0.1'));
  });
  const server = createServer({ IncomingMessage: ApiRequest }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await authentication.start();
  const url = `http://127.0.0.1:${port}`;
  const api: AuthApi = {
    url,
    authentication,
    router,
    dispatched,
    log,
    async call<Body>(method: string, path: string, call: CallOptions = {}) {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
          ...(call.apiKey === undefined ? {} : { 'x-api-key': call.apiKey }),
          ...call.headers,
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: (isJson && text !== '' ? JSON.parse(text) : undefined) as Body,
      };
    },
    login: (email, password = PASSWORD) =>
      api.call<Tokens>('POST', '/api/v1/auth/login', { body: { email, password } }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await authentication.close();
      redis?.disconnect();
      await router.close();
    },
  };
  return api;
}

let made = 0;

export interface Person {
  readonly id: number;
  readonly email: string;
}

export interface PersonOptions {
  /** @default 'user' */
  readonly role?: Role;
  /** @default 'active' */
  readonly status?: UserStatus;
  /** Null for none. @default PASSWORD */
  readonly password?: string | null;
}

/** A client of a test's own to the database, as its owner. */
export function connect(database: Pick<TestDatabase, 'writerUrl'>): Sql {
  return postgres(database.writerUrl, { max: 2, onnotice: () => {} });
}

/** Writes a user with an account into the database. */
export async function createPerson(
  api: Pick<AuthApi, 'authentication'>,
  sql: Sql,
  { role = 'user', status = 'active', password = PASSWORD }: PersonOptions = {},
): Promise<Person> {
  made += 1;
  const email = `person.${process.pid}.${made}@example.com`;
  const hash = password === null ? null : await api.authentication.hasher.hash(password);
  const [row] = await sql<{ id: string }[]>`
    with created as (
      insert into users (name, email, status) values ('Ada Lovelace', ${email}, ${status}) returning id
    ), account as (
      insert into accounts (user_id, role, password_hash) select id, ${role}, ${hash} from created
    )
    select id from created
  `;
  return { id: Number(row?.id), email };
}

/** The tokens of somebody who can log in. */
export async function logIn(api: AuthApi, person: Person, password = PASSWORD) {
  const { body, status, text } = await api.login(person.email, password);
  if (status !== 200) throw new Error(`The login got ${status}: ${text}`);
  const { accessToken, refreshToken } = body;
  if (refreshToken === undefined) throw new Error('The login brought no refresh token');
  return { accessToken, refreshToken };
}
