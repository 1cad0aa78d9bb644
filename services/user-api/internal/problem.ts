import { STATUS_CODES } from 'node:http';

/** An error of the internal port, for people, as RFC 9457 has it. */
export function problem(status: number, detail: string): Response {
  return Response.json(
    { title: STATUS_CODES[status], status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}
