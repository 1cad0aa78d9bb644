import type { IncomingMessage, ServerResponse } from 'node:http';
import { CORS_VARY, type Cors, createCors } from './cors.ts';

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
  /** The public URL of the API. Where it is https, browsers are told to use nothing else (RFC 6797). */
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
