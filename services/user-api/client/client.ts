import type { Tokens } from '../../contracts/authentication.ts';
import { ApiProblem } from './errors.ts';
import { type OperationId, operations } from './operations.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import { type AnyInput, createRequest, send } from './send.ts';
import type { ApiResponse, OperationFunctions } from './types.ts';

export interface ClientOptions {
  /** Where the API is, such as `https://api.example.com`. */
  readonly baseUrl: string;
  /** Sent as `X-API-Key`, unless there are tokens. @default none */
  readonly apiKey?: string;
  /** Tokens of an earlier login. @default none */
  readonly tokens?: Tokens;
  /** Called with the tokens after each login, refresh and change of password, and with null when they are of no use any more: keep them. */
  readonly onTokens?: (tokens: Tokens | null) => void;
  /** How often, and after what waits, a failed request is sent again. */
  readonly retry?: RetryOptions;
  /** Longest wait for the response to one attempt, in milliseconds. @default 10000 */
  readonly timeoutMilliseconds?: number;
  /** @default the global one */
  readonly fetch?: typeof fetch;
}

/** The operations of the API as typed functions, by their operationId. */
export interface UserApiClient extends OperationFunctions {
  /** Those of the last login, refresh or change of password; null when logged out. */
  readonly tokens: Tokens | null;
}

const TIMEOUT_MILLISECONDS = 10_000;

/** Operations whose answer is tokens. */
const GIVES_TOKENS: ReadonlySet<OperationId> = new Set([
  'logIn',
  'refreshTokens',
  'changePassword',
]);

/** Operations that are sent without credentials: one that has ended would be refused there, too. */
const ANONYMOUS: ReadonlySet<OperationId> = new Set([
  'logIn',
  'refreshTokens',
  'logOut',
  'requestPasswordReset',
  'resetPassword',
]);

/**
 * A client of the user API, typed by the routes that the service declares. It sends a request again when the API says that it was not applied; when the
 * outcome is unknown, only where a repetition does no harm, as with an Idempotency-Key or If-Match. It renews the access token when it has ended, once for all requests that wait for
 * it; and throws problems as {@link ApiProblem}.
 *
 * Every function throws `ApiProblem`, `ApiUnreachable` or `UnexpectedResponse`, or the reason of its signal.
 */
export function createClient(options: ClientOptions): UserApiClient {
  const { apiKey, baseUrl, onTokens, retry, timeoutMilliseconds = TIMEOUT_MILLISECONDS } = options;
  let tokens: Tokens | null = options.tokens ?? null;
  let renewal: Promise<void> | null = null;

  const keep = (next: Tokens | null) => {
    tokens = next;
    onTokens?.(next);
  };

  /** @param current - gives the tokens to send; read for each attempt, as they may have been renewed meanwhile. */
  const attempt = (
    id: OperationId,
    input: AnyInput,
    current: () => Tokens | null = () => tokens,
  ): Promise<ApiResponse<unknown>> => {
    const operation = operations[id];
    const { init, url } = createRequest(baseUrl, operation, input);
    return withRetries(
      () => {
        const known = current();
        if (known !== null) init.headers.set('authorization', `Bearer ${known.accessToken}`);
        else if (apiKey !== undefined) init.headers.set('x-api-key', apiKey);
        return send(url, init, {
          fetch: options.fetch ?? fetch,
          timeoutMilliseconds,
          signal: input.signal,
        });
      },
      {
        repeatable: operation.repeatable,
        isConditional: input.ifMatch !== undefined,
        signal: input.signal,
      },
      retry,
    );
  };

  const renew = async (refreshToken: string): Promise<void> => {
    try {
      // Without the access token: it has ended, and bad credentials are refused everywhere.
      const { body } = await attempt('refreshTokens', { body: { refreshToken } }, () => null);
      keep(body as Tokens);
    } catch (error) {
      if (error instanceof ApiProblem && error.is('invalid-refresh-token')) keep(null);
      throw error;
    }
  };

  const run = async (id: OperationId, input: AnyInput): Promise<ApiResponse<unknown>> => {
    const used = tokens;
    const isAnonymous = ANONYMOUS.has(id);
    try {
      const response = await attempt(id, input, isAnonymous ? () => null : undefined);
      if (GIVES_TOKENS.has(id)) keep(response.body as Tokens);
      if (id === 'logOut') keep(null);
      return response;
    } catch (error) {
      const hasEnded = error instanceof ApiProblem && error.is('invalid-access-token');
      if (!hasEnded || isAnonymous || used?.refreshToken === undefined) throw error;
      // Others may have found out at the same time, or have renewed it already.
      if (tokens === used || renewal !== null) {
        renewal ??= renew(used.refreshToken).finally(() => {
          renewal = null;
        });
        await renewal;
      }
      return await attempt(id, input);
    }
  };

  const functions = Object.fromEntries(
    Object.keys(operations).map((id) => [
      id,
      (input: AnyInput = {}) => run(id as OperationId, input),
    ]),
  ) as unknown as OperationFunctions;
  return {
    ...functions,
    get tokens() {
      return tokens;
    },
  };
}
