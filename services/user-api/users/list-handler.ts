import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import {
  type ListUsersQuery,
  listUsersQuery,
  PAGE_DEFAULT_LIMIT,
  PAGED_MAXIMUM_USERS,
  USERS_PATH,
  type UserPage,
} from '../../contracts/users.ts';
import type { ProtectedHandler } from '../auth/authorization.ts';
import { listRepresentationFor, type Representation, shownUser } from '../auth/authorization.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { LoadedPage, SerializedPage } from '../cache/list-cache.ts';
import type { CursorSigner } from '../http/cursor.ts';
import { Problem } from '../http/problem.ts';
import { acceptsGzip, matchesEntityTag } from '../http/request-headers.ts';
import { JSON_MEDIA_TYPE } from '../http/route-parts.ts';
import { invalidParameter, parseQuery } from '../http/validation.ts';
import type { ListPosition, UserListing } from './list-statements.ts';
import type { ListedUser, UserRepository } from './repository.ts';
import type { Users } from './users.ts';

interface ListRequest {
  readonly query: ListUsersQuery;
  readonly listing: UserListing;
  readonly representation: Representation;
  readonly cursors: CursorSigner;
}

const cursorPosition = z.tuple([z.string(), z.int().positive()]);

function listingOf({ name_prefix: prefix, sort, status }: ListUsersQuery): UserListing {
  const order: UserListing['order'] =
    prefix === undefined
      ? { by: 'creation', newestFirst: sort === '-created_at' }
      : { by: 'name', prefix };
  return { status, order };
}

/** Names list and order: a cursor is valid there only. */
const nameOf = ({ order, status }: UserListing) => JSON.stringify([status ?? null, order]);

/** @throws {@link Problem} validation-failed */
function positionOf({ cursors, listing, query }: ListRequest): ListPosition | null {
  if (query.cursor === undefined) return null;
  const position = cursorPosition.safeParse(cursors.decode(nameOf(listing), query.cursor));
  if (!position.success) {
    throw invalidParameter(
      'cursor',
      'must be the nextCursor of an earlier page of the same list, as it was',
    );
  }
  const [key, id] = position.data;
  return { key, id };
}

function linkTo(relation: string, { query }: ListRequest, page: Readonly<Record<string, unknown>>) {
  const { name_prefix, sort, status } = query;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...page, name_prefix, sort, status })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return `<${USERS_PATH}?${parameters}>; rel="${relation}"`;
}

function bytesOf(page: UserPage): Uint8Array {
  return Buffer.from(JSON.stringify(page));
}

/** The page of rows that were read: one more than the page has. */
function shownPage(
  { cursors, listing, representation }: ListRequest,
  found: readonly ListedUser[],
  limit: number,
) {
  const shown = found.slice(0, limit);
  const last = found.length > limit ? shown.at(-1) : undefined;
  return {
    data: shown.map(({ user }) => shownUser(user, representation)),
    nextCursor:
      last === undefined
        ? null
        : cursors.encode(nameOf(listing), [last.position.key, last.position.id]),
  };
}

async function loadAfter(
  request: ListRequest,
  after: ListPosition | null,
  repository: UserRepository,
): Promise<LoadedPage> {
  const { limit = PAGE_DEFAULT_LIMIT } = request.query;
  const found = await repository.page(request.listing, after, limit + 1);
  const page = shownPage(request, found, limit);
  const { nextCursor } = page;
  const link = nextCursor === null ? null : linkTo('next', request, { limit, cursor: nextCursor });
  return { body: bytesOf(page), link };
}

/** Offset of a numbered page. @throws {@link Problem} page-too-deep */
function placeOf({ page = 1, per_page: perPage = PAGE_DEFAULT_LIMIT }: ListUsersQuery) {
  if (page * perPage > PAGED_MAXIMUM_USERS) {
    throw new Problem(
      'page-too-deep',
      `Pages reach the first ${PAGED_MAXIMUM_USERS} users; go on with cursor, which nextCursor of the last page is.`,
      {
        errors: [
          {
            parameter: 'page',
            detail: `must be at most ${Math.floor(PAGED_MAXIMUM_USERS / perPage)} with ${perPage} users on a page`,
          },
        ],
      },
    );
  }
  return { page, perPage };
}

async function loadNumbered(
  request: ListRequest,
  { page, perPage }: ReturnType<typeof placeOf>,
  repository: UserRepository,
): Promise<LoadedPage> {
  const { count, users } = await repository.countedPage(request.listing, {
    offset: (page - 1) * perPage,
    limit: perPage + 1,
    countMaximum: PAGED_MAXIMUM_USERS + 1,
  });
  const shown = shownPage(request, users, perPage);
  const total = Math.min(count, PAGED_MAXIMUM_USERS);
  const lastPage = Math.max(1, Math.floor(PAGED_MAXIMUM_USERS / perPage));
  const numbered = (relation: string, number: number) =>
    linkTo(relation, request, { page: number, per_page: perPage });
  const links = [
    numbered('first', 1),
    ...(page > 1 ? [numbered('prev', page - 1)] : []),
    ...(shown.nextCursor === null
      ? []
      : [
          page < lastPage
            ? numbered('next', page + 1)
            : linkTo('next', request, { limit: perPage, cursor: shown.nextCursor }),
        ]),
  ];
  const body = { ...shown, page, perPage, total, totalIsExact: count <= PAGED_MAXIMUM_USERS };
  return { body: bytesOf(body), link: links.join(', ') };
}

function response(
  { response: serialized, link }: SerializedPage,
  representation: Representation,
  asked: IncomingHttpHeaders,
): Response {
  const compressed = acceptsGzip(asked['accept-encoding']) ? serialized.gzip : null;
  const { etag, length, text } = compressed ?? serialized;
  const headers = {
    'cache-control':
      representation === 'public' ? cacheControl.publicUserList : cacheControl.userList,
    vary: 'accept-encoding, authorization, origin, x-api-key',
    etag,
    ...(link === null ? {} : { link }),
  };
  const known = asked['if-none-match'];
  if (known !== undefined && matchesEntityTag(known, etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(Buffer.from(text, 'latin1'), {
    headers: {
      'content-type': JSON_MEDIA_TYPE,
      ...(compressed === null ? {} : { 'content-encoding': 'gzip' }),
      ...headers,
      'content-length': length,
    },
  });
}

export function createListHandler(users: Users, cursors: CursorSigner): ProtectedHandler {
  return ({ env, req }, identity) => {
    const query = parseQuery(listUsersQuery, req.url);
    const representation = listRepresentationFor(identity);
    const request: ListRequest = { query, listing: listingOf(query), representation, cursors };
    const isNumbered = query.page !== undefined || query.per_page !== undefined;
    const place = isNumbered ? placeOf(query) : null;
    const after = positionOf(request);
    const { limit = PAGE_DEFAULT_LIMIT } = query;
    const key = JSON.stringify([representation, nameOf(request.listing), place ?? [after, limit]]);
    const page = users.page(key, (repository) =>
      place === null
        ? loadAfter(request, after, repository)
        : loadNumbered(request, place, repository),
    );
    const { headers } = env.incoming;
    if (page instanceof Promise) {
      return page.then((loaded) => response(loaded, representation, headers));
    }
    env.record.fromCache = page.fromCache;
    return response(page, representation, headers);
  };
}
