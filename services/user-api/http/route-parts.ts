import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { problem } from '../../contracts/problem.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { ApiEnvironment } from './environment.ts';
import { Problem } from './problem.ts';
import { type ProblemSlug, problemTypes } from './problem-types.ts';

export const JSON_MEDIA_TYPE = 'application/json';

/** Path parameters of what belongs to one user. */
export const userParams = z.object({ id: z.int().positive() });

export const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { [JSON_MEDIA_TYPE]: { schema } },
});

export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { [JSON_MEDIA_TYPE]: { schema } },
});

/** What an operation that reads a body may answer for the body's sake. */
export const bodyProblems = [
  'malformed-json',
  'unsupported-media-type',
  'content-too-large',
  'validation-failed',
] as const;
/** What every operation with the database behind it may answer. */
export const databaseProblems = ['database-unavailable', 'overloaded', 'outcome-unknown'] as const;
/** The same for one that changes nothing. */
export const readProblems = ['database-unavailable', 'overloaded'] as const;

export interface ProblemResponse {
  readonly description: string;
  readonly content: { readonly 'application/problem+json': { readonly schema: typeof problem } };
}

/** The problems that an operation answers with, by status; those of one status share an entry. */
export function problems(...slugs: readonly ProblemSlug[]): Record<number, ProblemResponse> {
  const byStatus = Map.groupBy(slugs, (slug) => problemTypes[slug].status);
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      status,
      {
        description: those.map((slug) => problemTypes[slug].title).join('; '),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}

/** Decimal digits without a zero in front: one spelling for each id, so that a cache has one entry for it. */
const ID = /^[1-9]\d{0,15}$/;

/** @returns null for what cannot be an id. */
export function idParameter(context: Context<ApiEnvironment>, name: string): number | null {
  const text = context.req.param(name) ?? '';
  const id = ID.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

/** The id of the user that a path is about. @throws {@link Problem} user-not-found for what cannot be an id. */
export function userIdParameter(context: Context<ApiEnvironment>): number {
  const id = idParameter(context, 'id');
  if (id === null) throw new Problem('user-not-found', 'There is no user with this id.');
  return id;
}

/** A response about this moment: nobody may keep it on the way, as tokens, keys and personal data must not be (RFC 6749, 5.1). */
export function jsonResponse(body: object, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': JSON_MEDIA_TYPE, 'cache-control': cacheControl.moment },
  });
}
