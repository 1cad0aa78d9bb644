import type { Context } from 'hono';
import { cacheControl } from '../cache/cache-control.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import { idParameter, JSON_MEDIA_TYPE } from '../http/route-parts.ts';
import { UserNotFound } from './errors.ts';

/** Tokens, keys and who somebody is: nobody may keep them on the way (RFC 6749, 5.1). */
export function jsonResponse(body: object, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': JSON_MEDIA_TYPE, 'cache-control': cacheControl.moment },
  });
}

/** @throws `UserNotFound` for what cannot be an id. */
export function userIdParameter(context: Context<ApiEnvironment>): number {
  const id = idParameter(context, 'id');
  if (id === null) throw new UserNotFound('Not an id');
  return id;
}
