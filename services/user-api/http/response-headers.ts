import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sets the headers by which browsers let pages of other origins see a response, besides {@link CORS_VARY}. */
type Cors = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** Vary of all answers, also to requests without an Origin: a cache must not give one to a page of another origin. */
const CORS_VARY = 'origin';

/** Besides those that every page may send. */
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'if-match',
  'if-none-match',
  'idempotency-key',
  'x-api-key',
  'x-request-id',
  'traceparent',
];
/** Besides those that every page may see. */
const EXPOSED_HEADERS = [
  'accept-patch',
  'accept-post',
  'allow',
  'deprecation',
  'etag',
  'idempotent-replayed',
  'link',
  'location',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'sunset',
  'www-authenticate',
  'x-request-id',
];
const ALLOWED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** How long a browser keeps the response to a preflight: Chromium keeps none longer than two hours. */
const PREFLIGHT_MAXIMUM_AGE_SECONDS = 7_200;

/**
 * The CORS protocol (https://fetch.spec.whatwg.org/#http-cors-protocol) for the origins that are listed, compared as a whole. No
 * `Access-Control-Allow-Credentials`: the API takes no cookies, so there is nothing that a browser would add by itself.
 */
function createCors(allowedOrigins: readonly string[]): Cors {
  const allowed: ReadonlySet<string> = new Set(allowedOrigins);
  const exposed = EXPOSED_HEADERS.join(', ');
  const methods = ALLOWED_METHODS.join(', ');
  const headers = ALLOWED_HEADERS.join(', ');
  return ({ headers: asked, method }, outgoing) => {
    const { origin } = asked;
    if (origin === undefined || !allowed.has(origin)) return;
    outgoing.setHeader('access-control-allow-origin', origin);
    // 'same-origin' would forbid what the line above allows.
    outgoing.setHeader('cross-origin-resource-policy', 'cross-origin');
    outgoing.setHeader('access-control-expose-headers', exposed);
    if (method !== 'OPTIONS' || asked['access-control-request-method'] === undefined) return;
    outgoing.setHeader('access-control-allow-methods', methods);
    outgoing.setHeader('access-control-allow-headers', headers);
    outgoing.setHeader('access-control-max-age', String(PREFLIGHT_MAXIMUM_AGE_SECONDS));
  };
}

/** Sets the headers that every response has, whatever it will be; a response may replace one. */
export type ResponseHeaders = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/**
 * What OWASP's REST Security Cheat Sheet wants on the responses of an API
 * (https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html): they are data, which no browser is to guess the type of,
 * run, or show inside another page. Pages replace the policy with one of their own.
 */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Two years, as https://hstspreload.org/ recommends. */
const HTTPS_ONLY = 'max-age=63072000; includeSubDomains';

export interface ResponseHeaderSettings {
  /** The public URL of the API. Where it is https, browsers are to use nothing else (RFC 6797). */
  readonly publicUrl: string;
  /** `CORS_ALLOWED_ORIGINS` */
  readonly allowedOrigins: readonly string[];
}

/** The fields of responses to requests without an Origin, in the order in which they are sent. */
export function constantHeaders({
  allowedOrigins,
  publicUrl,
}: ResponseHeaderSettings): [name: string, value: string][] {
  return Object.entries({
    ...securityHeaders,
    ...(publicUrl.startsWith('https:') ? { 'strict-transport-security': HTTPS_ONLY } : {}),
    ...(allowedOrigins.length === 0 ? {} : { vary: CORS_VARY }),
  });
}

export function createResponseHeaders(settings: ResponseHeaderSettings): ResponseHeaders {
  const { allowedOrigins } = settings;
  const cors: Cors | null = allowedOrigins.length === 0 ? null : createCors(allowedOrigins);
  const always = constantHeaders(settings);
  return (incoming, outgoing) => {
    for (const [name, value] of always) outgoing.setHeader(name, value);
    cors?.(incoming, outgoing);
  };
}
