import { USERS_ALIASES, USERS_PATH } from '../../../contracts/users.ts';
import { decide, permissionOf } from '../../auth/authorization.ts';
import { ANONYMOUS } from '../../auth/identity.ts';
import { JSON_MEDIA_TYPE } from '../../http/route-parts.ts';
import { policyOf } from '../../rate-limit/default-policies.ts';
import { deprecationOf } from '../../reference/deprecation.ts';
import { cachingFields } from '../../users/handlers.ts';
import { publicRepresentation } from '../../users/representations.ts';
import { getUserRoute } from '../../users/routes.ts';
import type { UserCaching } from '../../users/user-caching.ts';
import { createFastPath, type FastPath, type FastPathParts } from './fast-path.ts';

/**
 * The fast path of GET by id, at all the paths where the handler answers it; null where that has something about it which the fast path does
 * not know: that not everybody may ask, that it is not counted as a read, or that it is deprecated.
 */
export function createUserFastPath({
  caching: { metrics, near, reader },
  ...others
}: Pick<
  FastPathParts,
  'addressOf' | 'admission' | 'constant' | 'deadlineMilliseconds' | 'keepAliveTimeoutMilliseconds'
> & {
  readonly caching: Pick<UserCaching, 'metrics' | 'near' | 'reader'>;
}): FastPath | null {
  // The full path sends the headers of a deprecation.
  if (deprecationOf(getUserRoute) !== undefined) return null;
  const permission = permissionOf({ route: getUserRoute });
  if (permission === undefined || decide(permission, ANONYMOUS, undefined) !== 'allowed')
    return null;
  if (policyOf(getUserRoute) !== 'reads') return null;
  return createFastPath({
    ...others,
    near,
    metrics,
    reader,
    representation: publicRepresentation,
    prefixes: [USERS_PATH, ...USERS_ALIASES].map((path) => `${path}/`),
    route: getUserRoute.path,
    contentType: JSON_MEDIA_TYPE,
    caching: cachingFields('public'),
  });
}
