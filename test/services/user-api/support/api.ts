import { workers } from '../../../../lib/config/workers.ts';
import type { Role } from '../../../../services/contracts/authentication.ts';
import { readEnvironment } from '../../../../services/contracts/environment/read.ts';
import { environmentVariables } from '../../../../services/contracts/environment/variables.ts';
import type { ProblemDetails } from '../../../../services/contracts/problem.ts';
import type { PublicUser, User } from '../../../../services/contracts/users.ts';
import type { DependencyOptions } from '../../../../services/user-api/app/dependencies.ts';
import { type RunningService, startService } from '../../../../services/user-api/app/service.ts';
import { AccessTokens } from '../../../../services/user-api/auth/tokens/access-tokens.ts';
import { deriveSigningKeySet } from '../../../../services/user-api/auth/tokens/derived-signing-keys.ts';
import { KeyRing } from '../../../../services/user-api/auth/tokens/key-ring.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { variables } from '../../../../services/user-api/settings/settings.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { createQueues } from '../../../support/queues.ts';
import { system } from '../../../support/system.ts';

export interface ReceivedResponse<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** The body as text, and parsed where it is JSON. */
  readonly text: string;
  readonly body: Body;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is a string or bytes, which are sent as they are. */
  readonly body?: unknown;
  /** Whose access token is sent. @default nobody's */
  readonly as?: Caller;
}

/** Somebody with a login: an administrator who is none of the users, or the user with this id. */
export type Caller = 'admin' | number;

export interface TestApi {
  readonly url: string;
  readonly port: number;
  readonly service: RunningService;
  /** Every line that the service has logged, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly queueUrl: string;
  call<Body = unknown>(
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<ReceivedResponse<Body>>;
  stop(): Promise<void>;
}

export interface TestApiOptions {
  readonly database: Pick<TestDatabase, 'writerUrl'>;
  /** @default none: reads go to the writer */
  readonly readerUrls?: readonly string[];
  /** @default without Redis */
  readonly redisUrl?: string;
  /** Environment variables on top of those that point at the test's servers. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Pauses to shorten. */
  readonly options?: DependencyOptions;
}

/** The secret of the test's APIs. */
export const SERVICE_SECRET = 'a secret of tests, with enough characters';
/** No user of a test has it. */
const ADMINISTRATOR_ID = 4_000_000_000_000_000;
/** What tests other than those of limits never reach. */
const UNLIMITED =
  'reads=10000000/60,creates=10000/1,updates=1000000/60,deletes=10000/1,logins=10000/1';

/**
 * The Authorization header of somebody who has logged in: an access token as a login gives it, signed with the keys of the test's APIs, which
 * verify it as any other. It spares each test a login, which is tested by itself.
 */
export async function authorization(
  caller: Caller,
  role: Role = caller === 'admin' ? 'admin' : 'user',
  authenticatedAt = Date.now(),
  generation = 0,
): Promise<string> {
  const tokens = new AccessTokens({
    keys: await KeyRing.open(deriveSigningKeySet(SERVICE_SECRET)),
    issuer: environmentVariables.ACCESS_TOKEN_ISSUER.type.parse(undefined),
    audience: environmentVariables.ACCESS_TOKEN_AUDIENCE.type.parse(undefined),
  });
  const userId = caller === 'admin' ? ADMINISTRATOR_ID : caller;
  return `Bearer ${await tokens.issue({ userId, role, generation, sessionId: 'test', authenticatedAt })}`;
}

const emailWorker = workers.filter(({ name }) => name === 'email');

/** The environment of a user API that uses the test's database, and an SQS queue of its own. */
export async function testEnvironment(
  options: TestApiOptions,
): Promise<Readonly<Record<string, string>>> {
  const { endpoint, region } = system().sqs;
  const queues = await createQueues(emailWorker);
  return {
    STAGE: 'test',
    PORT: '0',
    DATABASE_URL: options.database.writerUrl,
    DATABASE_READER_URLS: (options.readerUrls ?? []).join(','),
    DATABASE_POOL_SIZE: '4',
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    AWS_REGION: region,
    SQS_ENDPOINT: endpoint,
    EMAIL_QUEUE_URL: queues.email?.url ?? '',
    SHUTDOWN_DELAY_MILLISECONDS: '0',
    SHUTDOWN_TIMEOUT_MILLISECONDS: '5000',
    SERVICE_SECRET,
    RATE_LIMITS: UNLIMITED,
    ...options.environment,
  };
}

async function toResponse<Body>(response: Response): Promise<ReceivedResponse<Body>> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson && text !== '' ? JSON.parse(text) : undefined) as Body,
  };
}

/** Starts a user API in this process, on a free port, against real servers. */
export async function startTestApi(options: TestApiOptions): Promise<TestApi> {
  // Any will do for the SQS of the tests, but the SDK signs nothing without.
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const environment = await testEnvironment(options);
  const settings = readEnvironment(variables, environment);
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(settings, { write: (line) => void log.push(JSON.parse(line)) });
  const service = await startService(settings, logger, options.options);
  const url = `http://127.0.0.1:${service.port}`;
  return {
    url,
    port: service.port,
    service,
    log,
    queueUrl: settings.EMAIL_QUEUE_URL,
    async call(method, path, { as, headers = {}, body } = {}) {
      const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(as === undefined ? {} : { authorization: await authorization(as) }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      });
      return await toResponse(response);
    },
    async stop() {
      await service.stop();
    },
  };
}

/** A migrated database of the test's own, and an API on it; everything is gone when the scope of `using` ends. */
export async function startApiOnNewDatabase(
  options: Omit<TestApiOptions, 'database' | 'readerUrls'> & { readonly readers?: boolean } = {},
): Promise<TestApi & { readonly database: TestDatabase }> {
  const database = await createMigratedDatabase();
  const api = await startTestApi({
    ...options,
    database,
    readerUrls: options.readers === false ? [] : [database.readerUrl],
  });
  return {
    ...api,
    database,
    async stop() {
      await api.stop();
      await database.drop();
    },
  };
}

let made = 0;

/** Fields of a user that no other call has made. */
export function newUser(fields: Partial<Record<string, unknown>> = {}) {
  made += 1;
  return { name: 'Ada Lovelace', email: `ada.${process.pid}.${made}@example.com`, ...fields };
}

/** What anybody sees of a user. */
export function publicOf({ email: _, ...shown }: User): PublicUser {
  return shown;
}

/** Creates a user, as an administrator may, and fails when the API does not. */
export async function createUser(api: TestApi, fields = {}): Promise<User> {
  const body = newUser(fields);
  const answer = await api.call<User>('POST', '/api/v1/users', { as: 'admin', body });
  if (answer.status !== 201) throw new Error(`POST responded ${answer.status}: ${answer.text}`);
  return answer.body;
}

export type { ProblemDetails };
