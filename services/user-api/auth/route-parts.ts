import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { problem } from '../../contracts/problem.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import { type ProblemSlug, type ProblemType, problemTypes } from '../http/problem-types.ts';
import { UserNotFound } from '../users/errors.ts';
import { type AccessProblemSlug, accessProblemTypes } from './problem-types.ts';

const JSON_MEDIA_TYPE = 'application/json';
const catalogue: Readonly<Record<ProblemSlug | AccessProblemSlug, ProblemType>> = {
  ...problemTypes,
  ...accessProblemTypes,
};

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
/** What an operation may answer that takes credentials: for their sake. */
export const credentialProblems = [
  'credentials-required',
  'invalid-access-token',
  'invalid-api-key',
  'forbidden',
] as const;
/** What every operation with the database behind it may answer. */
export const always = ['internal-error', 'database-unavailable'] as const;

/** The problems that an operation answers with, by status; those of one status share an entry. */
export function problems(...slugs: readonly (ProblemSlug | AccessProblemSlug)[]) {
  const byStatus = Map.groupBy(slugs, (slug) => catalogue[slug].status);
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      status,
      {
        description: those.map((slug) => catalogue[slug].title).join('; '),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}

/** Tokens, keys and who somebody is: nobody may keep them on the way (RFC 6749, 5.1). */
export function answerJson(body: object, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': JSON_MEDIA_TYPE, 'cache-control': 'no-store' },
  });
}

/** Decimal digits without a zero in front: one spelling for each id. */
const ID = /^[1-9]\d{0,15}$/;

/** @returns null for what cannot be an id. */
export function idParameter(context: Context<ApiEnvironment>, name: string): number | null {
  const text = context.req.param(name) ?? '';
  const id = ID.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

/** @throws `UserNotFound` for what cannot be an id. */
export function userIdParameter(context: Context<ApiEnvironment>): number {
  const id = idParameter(context, 'id');
  if (id === null) throw new UserNotFound('Not an id');
  return id;
}
