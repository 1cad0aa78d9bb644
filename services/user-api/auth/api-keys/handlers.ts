import { createApiKeyBody } from '../../../contracts/api-keys.ts';
import { cacheControl } from '../../cache/cache-control.ts';
import type { JsonBodyReader } from '../../http/body.ts';
import { idParameter, jsonResponse, userIdParameter } from '../../http/route-parts.ts';
import { requireCredentials } from '../authenticator.ts';
import type { ProtectedOperation } from '../authorization.ts';
import { AccessError } from '../errors.ts';
import type { ApiKeys } from './api-keys.ts';
import { createApiKeyRoute, listApiKeysRoute, revokeApiKeyRoute } from './routes.ts';

export function createApiKeyOperations(
  apiKeys: ApiKeys,
  readBody: JsonBodyReader,
): ProtectedOperation[] {
  return [
    {
      route: createApiKeyRoute,
      handler: async (context) => {
        const userId = userIdParameter(context);
        const body = await readBody(context, createApiKeyBody);
        return jsonResponse(await apiKeys.create(userId, body), 201);
      },
    },
    {
      route: listApiKeysRoute,
      handler: async (context) =>
        jsonResponse({ data: await apiKeys.list(userIdParameter(context)) }),
    },
    {
      route: revokeApiKeyRoute,
      handler: async (context, identity) => {
        if (identity.kind === 'anonymous') throw requireCredentials();
        const userId = userIdParameter(context);
        const apiKeyId = idParameter(context, 'apiKeyId');
        if (apiKeyId === null) throw new AccessError('api-key-not-found', 'Not an id.');
        await apiKeys.revoke(userId, apiKeyId, identity.userId);
        return new Response(null, {
          status: 204,
          headers: { 'cache-control': cacheControl.moment },
        });
      },
    },
  ];
}
