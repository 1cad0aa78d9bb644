import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from 'hono';
import {
  createUserBody,
  listUsersQuery,
  replaceUserBody,
  type UserPage,
  type UserStatus,
  updateUserBody,
} from '../../contracts/users.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { LoadedPage, ReadyPage } from '../cache/list-cache.ts';
import type { JsonBodyReader } from '../http/body.ts';
import { acceptsGzip } from '../http/content-coding.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import type { Operation } from '../http/operations.ts';
import {
  allowedVersions,
  entityTag,
  matchesEntityTag,
  matchesNone,
} from '../http/preconditions.ts';
import { JSON_MEDIA_TYPE } from '../http/route-parts.ts';
import { invalidParameter, parseQuery } from '../http/validation.ts';
import { UserNotFound } from './errors.ts';
import {
  createUserRoute,
  deleteUserRoute,
  getUserRoute,
  listUsersRoute,
  MERGE_PATCH_MEDIA_TYPE,
  replaceUserRoute,
  USERS_PATH,
  updateUserRoute,
} from './routes.ts';
import type { UserSnapshot } from './user-snapshot.ts';
import type { UserList, Users } from './users.ts';

/** Decimal digits without a zero in front: one spelling for each id, so that a cache has one entry for it. */
const ID = /^[1-9]\d{0,15}$/;

/** @throws {@link UserNotFound} for what cannot be an id: no user is at that path. */
function userId(context: Context<ApiEnvironment>): number {
  const text = context.req.param('id') ?? '';
  const id = ID.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw new UserNotFound('Not an id');
  return id;
}

/** The versions that If-Match allows; null for any. */
function versionsOf({ env }: Context<ApiEnvironment>): readonly number[] | null {
  return allowedVersions(env.incoming.headers['if-match']);
}

/** Bytes and a plain object of headers: what the adapter to Node.js sends without making web streams and Headers. */
function answer({ version, body }: UserSnapshot, status = 200, location?: string): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': JSON_MEDIA_TYPE,
      'cache-control': cacheControl.user,
      etag: entityTag(version),
      ...(location === undefined ? {} : { location }),
      'content-length': String(body.byteLength),
    },
  });
}

function notModified(version: number): Response {
  const headers = { 'cache-control': cacheControl.user, etag: entityTag(version) };
  return new Response(null, { status: 304, headers });
}

function linkToNext(cursor: string, limit: number, status: UserStatus | undefined): string {
  const query = new URLSearchParams({ limit: String(limit), cursor });
  if (status !== undefined) query.set('status', status);
  return `<${USERS_PATH}?${query}>; rel="next"`;
}

function renderPage(
  { users, more }: UserList,
  limit: number,
  status: UserStatus | undefined,
): LoadedPage {
  const last = users.at(-1);
  const nextCursor = more && last !== undefined ? encodeCursor(last.id) : null;
  const page: UserPage = { data: [...users], nextCursor };
  return {
    body: Buffer.from(JSON.stringify(page)),
    link: nextCursor === null ? null : linkToNext(nextCursor, limit, status),
  };
}

function answerPage({ answer, link }: ReadyPage, asked: IncomingHttpHeaders): Response {
  const compressed = acceptsGzip(asked['accept-encoding']) ? answer.gzip : null;
  const { etag, length, text } = compressed ?? answer;
  const headers = {
    'cache-control': cacheControl.userList,
    vary: 'accept-encoding',
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

/** The operations on users: what each does with HTTP, around what {@link Users} does. */
export function createUserOperations(users: Users, readBody: JsonBodyReader): Operation[] {
  return [
    {
      route: getUserRoute,
      handler: async (context) => {
        const snapshot = await users.get(userId(context));
        if (snapshot === null) throw new UserNotFound('Not found');
        context.env.incoming.nearHit = snapshot.fromMemory === true;
        const known = context.env.incoming.headers['if-none-match'];
        if (known !== undefined && matchesNone(known, snapshot.version)) {
          return notModified(snapshot.version);
        }
        return answer(snapshot);
      },
    },
    {
      route: listUsersRoute,
      handler: async (context) => {
        const { limit, cursor, status } = parseQuery(listUsersQuery, context.req.url);
        const after = cursor === undefined ? 0 : decodeCursor(cursor);
        if (after === null) {
          throw invalidParameter('cursor', 'must be the nextCursor of an earlier page, as it was');
        }
        const page = await users.page({ after, limit, status }, (list) =>
          renderPage(list, limit, status),
        );
        return answerPage(page, context.env.incoming.headers);
      },
    },
    {
      route: createUserRoute,
      handler: async (context) => {
        const { id, snapshot } = await users.create(await readBody(context, createUserBody));
        return answer(snapshot, 201, `${USERS_PATH}/${id}`);
      },
    },
    {
      route: updateUserRoute,
      handler: async (context) => {
        const id = userId(context);
        const mediaTypes = [MERGE_PATCH_MEDIA_TYPE, JSON_MEDIA_TYPE];
        const changes = await readBody(context, updateUserBody, mediaTypes);
        return answer(await users.update(id, changes, versionsOf(context)));
      },
    },
    {
      route: replaceUserRoute,
      handler: async (context) => {
        const id = userId(context);
        const fields = await readBody(context, replaceUserBody);
        return answer(await users.update(id, fields, versionsOf(context)));
      },
    },
    {
      route: deleteUserRoute,
      handler: async (context) => {
        await users.remove(userId(context), versionsOf(context));
        return new Response(null, { status: 204 });
      },
    },
  ];
}
