import { ApiProblem, ApiUnreachable, UnexpectedResponse } from './errors.ts';
import type { Operations } from './operations.ts';
import type { ApiResponse, RequestOptions } from './types.ts';

export interface AnyInput extends RequestOptions {
  readonly body?: unknown;
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
}

export type Operation = Operations[keyof Operations];

export function createRequest(
  baseUrl: string,
  operation: Operation,
  input: AnyInput,
): { readonly url: string; readonly init: RequestInit & { readonly headers: Headers } } {
  const path = operation.path.replace(/\{(\w+)\}/g, (_: string, name: string) =>
    encodeURIComponent(String(input.parameters?.[name])),
  );
  const url = new URL(path, baseUrl);
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const headers = new Headers({ accept: 'application/json, application/problem+json' });
  if (input.body !== undefined) {
    const isPatch = operation.method === 'patch';
    headers.set('content-type', isPatch ? 'application/merge-patch+json' : 'application/json');
  }
  if (input.ifMatch !== undefined) headers.set('if-match', input.ifMatch);
  if (input.ifNoneMatch !== undefined) headers.set('if-none-match', input.ifNoneMatch);
  if (operation.repeatable === 'key') {
    headers.set('idempotency-key', input.idempotencyKey ?? crypto.randomUUID());
  }
  return {
    url: url.href,
    init: {
      method: operation.method.toUpperCase(),
      headers,
      ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    },
  };
}

/** @throws {@link ApiProblem}, {@link UnexpectedResponse}, {@link ApiUnreachable}; the reason of `signal` when it was aborted. */
export async function send(
  url: string,
  init: RequestInit,
  options: {
    readonly fetch: typeof fetch;
    readonly timeoutMilliseconds: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<ApiResponse<unknown>> {
  const limit = AbortSignal.timeout(options.timeoutMilliseconds);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  let response: Response;
  let text: string;
  try {
    response = await options.fetch(url, { ...init, signal });
    text = await response.text();
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new ApiUnreachable(`No response from ${new URL(url).origin}`, { cause });
  }
  const { headers, status } = response;
  const mediaType = headers.get('content-type')?.split(';')[0] ?? null;
  if (status >= 400) {
    if (mediaType !== 'application/problem+json') throw new UnexpectedResponse(status, mediaType);
    throw new ApiProblem(JSON.parse(text), headers);
  }
  if (text !== '' && mediaType !== 'application/json')
    throw new UnexpectedResponse(status, mediaType);
  return {
    status,
    body: text === '' ? null : JSON.parse(text),
    etag: headers.get('etag'),
    headers,
  };
}
