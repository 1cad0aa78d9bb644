import { createRoute, z } from '@hono/zod-openapi';
import { problem } from '../../contracts/problem.ts';
import {
  createUserBody,
  listUsersQuery,
  replaceUserBody,
  updateUserBody,
  user,
  userPage,
} from '../../contracts/users.ts';
import { type ProblemSlug, problemTypes } from '../http/problem-types.ts';

export const USERS_PATH = '/api/v1/users';
export const JSON_MEDIA_TYPE = 'application/json';
export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

const params = z.object({ id: z.int().positive() });

const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { [JSON_MEDIA_TYPE]: { schema } },
});

const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { [JSON_MEDIA_TYPE]: { schema } },
});

const mergePatchBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { [MERGE_PATCH_MEDIA_TYPE]: { schema }, [JSON_MEDIA_TYPE]: { schema } },
});

/** The problems that an operation answers with, by status; those of one status share an entry. */
function problems(...slugs: readonly ProblemSlug[]) {
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

const bodyProblems = [
  'malformed-json',
  'unsupported-media-type',
  'content-too-large',
  'validation-failed',
] as const;
const always = ['internal-error', 'database-unavailable'] as const;
const whenRead = [...always, 'overloaded'] as const;

export const createUserRoute = createRoute({
  method: 'post',
  path: USERS_PATH,
  summary: 'Create a user',
  request: { body: jsonBody(createUserBody) },
  responses: {
    201: json('The user, at the path in Location; a welcome email is on its way', user),
    ...problems(...bodyProblems, 'email-taken', ...always),
  },
});

export const listUsersRoute = createRoute({
  method: 'get',
  path: USERS_PATH,
  summary: 'List users, in ascending order of id',
  request: { query: listUsersQuery },
  responses: {
    200: json('A page; the Link header and `nextCursor` lead to the next one', userPage),
    304: { description: 'The page is the one that If-None-Match names' },
    ...problems('validation-failed', ...whenRead),
  },
});

export const getUserRoute = createRoute({
  method: 'get',
  path: `${USERS_PATH}/{id}`,
  summary: 'Get a user',
  request: { params },
  responses: {
    200: json('The user; the ETag names its version', user),
    304: { description: 'The version that If-None-Match names is the newest' },
    ...problems('user-not-found', ...whenRead),
  },
});

export const updateUserRoute = createRoute({
  method: 'patch',
  path: `${USERS_PATH}/{id}`,
  summary: 'Change some fields of a user, by JSON Merge Patch',
  request: { params, body: mergePatchBody(updateUserBody) },
  responses: {
    200: json('The user as it is now', user),
    ...problems(...bodyProblems, 'user-not-found', 'email-taken', 'precondition-failed', ...always),
  },
});

export const replaceUserRoute = createRoute({
  method: 'put',
  path: `${USERS_PATH}/{id}`,
  summary: 'Replace the fields of a user',
  request: { params, body: jsonBody(replaceUserBody) },
  responses: {
    200: json('The user as it is now', user),
    ...problems(...bodyProblems, 'user-not-found', 'email-taken', 'precondition-failed', ...always),
  },
});

export const deleteUserRoute = createRoute({
  method: 'delete',
  path: `${USERS_PATH}/{id}`,
  summary: 'Delete a user',
  request: { params },
  responses: {
    204: { description: 'The user is gone' },
    ...problems('user-not-found', 'precondition-failed', ...always),
  },
});
