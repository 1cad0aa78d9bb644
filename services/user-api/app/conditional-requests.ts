import type { ProtectedOperation } from '../auth/authorization.ts';
import { isConditional, namesStrongTag } from '../http/preconditions.ts';
import { Problem } from '../http/problem.ts';

const PRECONDITION_FAILED = '412';

/** @throws {@link Problem} precondition-failed */
function requireMatch(response: Response, wanted: string): Response {
  if (response.status !== 200 && response.status !== 304) return response;
  const etag = response.headers.get('etag');
  if (wanted.trim() === '*' || (etag !== null && namesStrongTag(wanted, etag))) return response;
  const has = etag === null ? 'has no ETag' : `has the ETag ${etag}`;
  throw new Problem('precondition-failed', `If-Match does not name what is here, which ${has}.`, {
    headers: etag === null ? {} : { etag },
  });
}

/**
 * Leaves no precondition unheeded (RFC 9110, 13.2): what is read is compared with If-Match (operations themselves compare it with If-None-Match); a change
 * that says nothing of 412 has no preconditions, and one that comes is refused, because to ignore it would do what the client did not want.
 */
export function withPreconditions(operation: ProtectedOperation): ProtectedOperation {
  const { handler, route } = operation;
  if (PRECONDITION_FAILED in route.responses) return operation;
  if (route.method !== 'get') {
    return {
      ...operation,
      handler: (context, identity) => {
        if (isConditional(context.env.incoming.headers)) {
          const detail = 'This operation has no preconditions: leave out If-Match and the like.';
          throw new Problem('precondition-failed', detail);
        }
        return handler(context, identity);
      },
    };
  }
  return {
    ...operation,
    handler: (context, identity) => {
      const response = handler(context, identity);
      const wanted = context.env.incoming.headers['if-match'];
      if (wanted === undefined) return response;
      return response instanceof Promise
        ? response.then((settled) => requireMatch(settled, wanted))
        : requireMatch(response, wanted);
    },
  };
}
