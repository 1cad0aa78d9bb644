import { createRoute, z } from '@hono/zod-openapi';
import { apiKeyList, createApiKeyBody, createdApiKey } from '../../../contracts/api-keys.ts';
import { USERS_PATH } from '../../../contracts/users.ts';
import {
  bodyProblems,
  databaseProblems,
  json,
  jsonBody,
  problems,
  userParams,
} from '../../http/route-parts.ts';

const API_KEYS_PATH = `${USERS_PATH}/{id}/api-keys`;

export const createApiKeyRoute = createRoute({
  method: 'post',
  path: API_KEYS_PATH,
  summary: 'Create an API key',
  request: { params: userParams, body: jsonBody(createApiKeyBody) },
  responses: {
    201: json('The API key; this is the only response with the key itself', createdApiKey),
    ...problems(...bodyProblems, 'too-many-api-keys', ...databaseProblems),
  },
});

export const listApiKeysRoute = createRoute({
  method: 'get',
  path: API_KEYS_PATH,
  summary: 'List the API keys of a user, valid ones first',
  request: { params: userParams },
  responses: {
    200: json('The API keys, including those that ended in the last 30 days', apiKeyList),
    ...problems('user-not-found', ...databaseProblems),
  },
});

export const revokeApiKeyRoute = createRoute({
  method: 'delete',
  path: `${API_KEYS_PATH}/{apiKeyId}`,
  summary: 'Revoke an API key',
  request: { params: userParams.extend({ apiKeyId: z.int().positive() }) },
  responses: {
    204: { description: 'The key is revoked' },
    ...problems('user-not-found', 'api-key-not-found', ...databaseProblems),
  },
});
