import type { Tokens } from '../../contracts/authentication.ts';
import { ApiProblem } from './errors.ts';
import { type OperationId, operations } from './operations.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import { type AnyInput, createRequest, send } from './send.ts';
import type { ApiResponse, OperationFunctions } from './types.ts';

export interface ClientOptions {
  /** Such as `https://api.example.com`. */
  readonly baseUrl: string;
  /** Sent as `X-API-Key`, unless there are tokens. @default none */
  readonly apiKey?: string;
  /** Tokens of an earlier login. @default none */
  readonly tokens?: Tokens;
  /** Called with new tokens to store, after a login, refresh or change of password; with null when they have become invalid. */
  readonly onTokens?: (tokens: Tokens | null) => void;
  readonly retry?: RetryOptions;
  /** Longest wait for the response to one attempt, in milliseconds. @default 10000 */
  readonly timeoutMilliseconds?: number;
  /** @default the global one */
  readonly fetch?: typeof fetch;
}

export interface UserApiClient extends OperationFunctions {
  /** Null when logged out. */
  readonly tokens: Tokens | null;
}

const TIMEOUT_MILLISECONDS = 10_000;

const GIVES_TOKENS: ReadonlySet<OperationId> = new Set([
  'logIn',
  'refreshTokens',
  'changePassword',
]);

/** Operations without credentials: expired ones would be refused there, too. */
const ANONYMOUS: ReadonlySet<OperationId> = new Set([
  'logIn',
  'refreshTokens',
  'logOut',
  'requestPasswordReset',
  'resetPassword',
]);

/**
 * A client of the user API, typed by the service's routes. It repeats requests that were not applied; and those with an unknown outcome if
 * repetition
 * is safe, as with Idempotency-Key or If-Match. It renews an expired access token once for all waiting requests.
 *
 * Every function throws {@link ApiProblem}, `ApiUnreachable` or `UnexpectedResponse`, or the reason of its signal.
 */
export function createClient(options: ClientOptions): UserApiClient {
  const { apiKey, baseUrl, onTokens, retry, timeoutMilliseconds = TIMEOUT_MILLISECONDS } = options;
  let tokens: Tokens | null = options.tokens ?? null;
  let renewal: Promise<void> | null = null;

  const keep = (next: Tokens | null) => {
    tokens = next;
    onTokens?.(next);
  };

  /** @param current - the tokens to send; read for each attempt, as they may have been renewed. */
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
      // Without the access token: it has expired, and bad credentials are refused everywhere.
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
      // A concurrent request may have renewed it already, or be renewing it.
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
