import type { UserApiClient } from './client.ts';
import type { Body, Input } from './types.ts';

type Page = Body<'listUsers'>;

/** All users of a list; loads pages on demand. */
export async function* allUsers(
  client: Pick<UserApiClient, 'listUsers'>,
  query: Input<'listUsers'>['query'] = {},
): AsyncGenerator<Page['data'][number]> {
  let cursor: string | null = query.cursor?.toString() ?? null;
  do {
    const { body } = await client.listUsers({
      query: cursor === null ? query : { ...query, cursor },
    });
    yield* body.data;
    cursor = body.nextCursor;
  } while (cursor !== null);
}
