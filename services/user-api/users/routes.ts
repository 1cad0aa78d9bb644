import { createRoute, type z } from '@hono/zod-openapi';
import { personalData } from '../../contracts/personal-data.ts';
import {
  createUserBody,
  listUsersQuery,
  replaceUserBody,
  USERS_PATH,
  updateUserBody,
  user,
  userPage,
  visibleUser,
} from '../../contracts/users.ts';
import {
  bodyProblems,
  databaseProblems,
  JSON_MEDIA_TYPE,
  json,
  jsonBody,
  problems,
  readProblems,
  userParams,
} from '../http/route-parts.ts';

export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

const mergePatchBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { [MERGE_PATCH_MEDIA_TYPE]: { schema }, [JSON_MEDIA_TYPE]: { schema } },
});

export const createUserRoute = createRoute({
  method: 'post',
  path: USERS_PATH,
  summary: 'Create a user',
  request: { body: jsonBody(createUserBody) },
  responses: {
    201: json('The user, at the path in Location; a welcome email follows', user),
    ...problems(
      ...bodyProblems,
      'invalid-idempotency-key',
      // For who gives a status.
      'credentials-required',
      'forbidden',
      'email-taken',
      'idempotency-key-in-use',
      'idempotent-answer-erased',
      'idempotency-key-reused',
      'password-hashing-busy',
      ...databaseProblems,
    ),
  },
});

export const listUsersRoute = createRoute({
  method: 'get',
  path: USERS_PATH,
  summary: 'List users by creation time or by name',
  request: { query: listUsersQuery },
  responses: {
    200: json('A page; the Link header and `nextCursor` lead to the next one', userPage),
    304: { description: 'The page in If-None-Match is current' },
    ...problems('validation-failed', 'page-too-deep', ...readProblems),
  },
});

export const getUserRoute = createRoute({
  method: 'get',
  path: `${USERS_PATH}/{id}`,
  summary: 'Get a user',
  request: { params: userParams },
  responses: {
    200: json(
      'The user, with the email address if the caller may see it; the ETag identifies the version',
      visibleUser,
    ),
    304: { description: 'The version in If-None-Match is current' },
    ...problems('user-not-found', ...readProblems),
  },
});

export const updateUserRoute = createRoute({
  method: 'patch',
  path: `${USERS_PATH}/{id}`,
  summary: 'Change fields of a user with JSON Merge Patch',
  request: { params: userParams, body: mergePatchBody(updateUserBody) },
  responses: {
    200: json('The updated user, with the email address if the caller may see it', visibleUser),
    ...problems(
      ...bodyProblems,
      'user-not-found',
      // For a new email address.
      'login-too-old',
      'email-taken',
      // For another status.
      'last-admin',
      'precondition-failed',
      ...databaseProblems,
    ),
  },
});

export const replaceUserRoute = createRoute({
  method: 'put',
  path: `${USERS_PATH}/{id}`,
  summary: 'Replace the fields of a user',
  request: { params: userParams, body: jsonBody(replaceUserBody) },
  responses: {
    200: json('The updated user, with the email address if the caller may see it', visibleUser),
    ...problems(
      ...bodyProblems,
      'user-not-found',
      // For a new email address.
      'login-too-old',
      'email-taken',
      // For another status.
      'last-admin',
      'precondition-failed',
      ...databaseProblems,
    ),
  },
});

export const deleteUserRoute = createRoute({
  method: 'delete',
  path: `${USERS_PATH}/{id}`,
  summary: 'Delete a user',
  request: { params: userParams },
  responses: {
    204: { description: 'The user is deleted' },
    ...problems('user-not-found', 'last-admin', 'precondition-failed', ...databaseProblems),
  },
});

export const exportUserRoute = createRoute({
  method: 'get',
  path: `${USERS_PATH}/{id}/export`,
  summary: 'Export all data about a user',
  request: { params: userParams },
  responses: {
    200: json('All stored data, except hashes of secrets', personalData),
    ...problems('user-not-found', 'sessions-unavailable', ...databaseProblems),
  },
});
