import type { Context } from 'hono';
import {
  type CreateUserBody,
  createUserBody,
  defaultUserStatus,
  replaceUserBody,
  type UpdateUserBody,
  USERS_PATH,
  updateUserBody,
} from '../../contracts/users.ts';
import { requireCredentials, requireRecentLogin } from '../auth/authenticator.ts';
import {
  creatorRepresentation,
  type Decision,
  decide,
  mayUseField,
  type ProtectedOperation,
  type Representation,
  representationFor,
} from '../auth/authorization.ts';
import { AccessError, UserNotFound } from '../auth/errors.ts';
import type { Identity } from '../auth/identity.ts';
import { userFieldPermissions } from '../auth/permissions.ts';
import { cacheControl } from '../cache/cache-control.ts';
import type { JsonBodyReader } from '../http/body.ts';
import type { CursorSigner } from '../http/cursor.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import {
  matchesEntityTag,
  parseIdempotencyKey,
  versionCondition,
} from '../http/request-headers.ts';
import { JSON_MEDIA_TYPE, jsonResponse, userIdParameter } from '../http/route-parts.ts';
import { createListHandler } from './list-handler.ts';
import type { PersonalDataExporter } from './personal-data.ts';
import { representationTag, type ShownUser, showUser } from './representations.ts';
import {
  createUserRoute,
  deleteUserRoute,
  exportUserRoute,
  getUserRoute,
  listUsersRoute,
  MERGE_PATCH_MEDIA_TYPE,
  replaceUserRoute,
  updateUserRoute,
} from './routes.ts';
import { type FieldObjections, statusForbidden, type Users } from './users.ts';
import type { AuditedActor } from './write-statements.ts';

/** Request fields that select the representation. */
const VARY = 'authorization, origin, x-api-key';

/** The caching fields of a response with a user, in order. */
export function cachingFields(representation: Representation): [name: string, value: string][] {
  return [
    ['cache-control', representation === 'public' ? cacheControl.publicUser : cacheControl.user],
    ['vary', VARY],
  ];
}

const cachingHeadersOf = {
  public: Object.fromEntries(cachingFields('public')),
  private: Object.fromEntries(cachingFields('private')),
};

function cachingHeaders(representation: Representation, etag: string) {
  return { ...cachingHeadersOf[representation], etag };
}

/** Bytes and a plain object of headers: the Node.js adapter sends them without web streams and Headers. */
function response(
  { body, etag }: ShownUser,
  representation: Representation,
  more: Readonly<Record<string, string>> = {},
  status = 200,
): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': JSON_MEDIA_TYPE,
      ...cachingHeaders(representation, etag),
      ...more,
      'content-length': String(body.byteLength),
    },
  });
}

function actorOf(identity: Identity, id: number): AuditedActor {
  if (identity.kind === 'anonymous') throw requireCredentials();
  const { kind, userId } = identity;
  if (kind === 'api-key') return { kind, userId };
  return { kind: userId === id ? 'self' : 'admin', userId };
}

/** @throws `AccessError` when the caller may not set this status on a new user. */
function requireStatusOfCreation({ status }: CreateUserBody, identity: Identity): void {
  if (status === defaultUserStatus) return;
  const decision = decide(userFieldPermissions.writeStatus, identity, undefined);
  if (decision === 'credentials required') throw requireCredentials();
  if (decision === 'forbidden') throw statusForbidden();
}

function objectionsOf(identity: Identity, id: number): FieldObjections {
  const { writeEmail, writeStatus } = userFieldPermissions;
  return {
    status: mayUseField(writeStatus, identity, id) ? null : statusForbidden(),
    email: emailObjection(decide(writeEmail, identity, String(id))),
  };
}

function emailObjection(decision: Decision): AccessError | null {
  if (decision === 'allowed') return null;
  if (decision === 'recent login required') return requireRecentLogin();
  return new AccessError('forbidden', 'API keys may not change email addresses; log in.');
}

export interface UserOperationParts {
  readonly users: Users;
  readonly personalData: PersonalDataExporter;
  readonly cursors: CursorSigner;
  readonly admission: { callerOf(identity: Identity, address: string): string };
  readonly readBody: JsonBodyReader;
}

/** The HTTP operations of {@link Users}. */
export function createUserOperations(parts: UserOperationParts): ProtectedOperation[] {
  const { admission, cursors, personalData, readBody, users } = parts;

  async function change(
    context: Context<ApiEnvironment>,
    identity: Identity,
    fields: UpdateUserBody,
  ): Promise<Response> {
    const id = userIdParameter(context);
    const objections = objectionsOf(identity, id);
    const representation = representationFor(identity, id);
    // Not even the current address, by a caller who cannot see it: the response would confirm a guess.
    if (fields.email !== undefined && objections.email !== null && representation === 'public') {
      throw objections.email;
    }
    const changed = await users.update(
      id,
      fields,
      versionCondition(context.env.incoming.headers),
      objections,
    );
    return response(showUser(changed, representation), representation);
  }

  return [
    {
      route: getUserRoute,
      handler: async (context, identity) => {
        const id = userIdParameter(context);
        const { found, incoming, record } = context.env;
        const snapshot = await (found.reading ?? users.get(id));
        if (snapshot === null) throw new UserNotFound('Not found');
        record.fromCache = snapshot.fromCache === true;
        const representation = representationFor(identity, id);
        const etag = representationTag(snapshot.version, representation);
        const known = incoming.headers['if-none-match'];
        if (known !== undefined && matchesEntityTag(known, etag)) {
          const headers = cachingHeaders(representation, etag);
          return new Response(null, { status: 304, headers });
        }
        return response(showUser(snapshot, representation), representation);
      },
    },
    { route: listUsersRoute, handler: createListHandler(users, cursors) },
    {
      route: createUserRoute,
      handler: async (context, identity) => {
        const { address, incoming } = context.env;
        const key = parseIdempotencyKey(incoming.headers['idempotency-key']);
        const body = await readBody(context, createUserBody);
        requireStatusOfCreation(body, identity);
        const idempotency =
          key === null ? null : { key, caller: admission.callerOf(identity, address) };
        const { id, isRepeated, snapshot } = await users.create(body, idempotency, address);
        const more = {
          location: `${USERS_PATH}/${id}`,
          ...(isRepeated ? { 'idempotent-replayed': 'true' } : {}),
        };
        const representation = creatorRepresentation;
        return response(showUser(snapshot, representation), representation, more, 201);
      },
    },
    {
      route: updateUserRoute,
      handler: async (context, identity) => {
        const mediaTypes = [MERGE_PATCH_MEDIA_TYPE, JSON_MEDIA_TYPE];
        return await change(context, identity, await readBody(context, updateUserBody, mediaTypes));
      },
    },
    {
      route: replaceUserRoute,
      handler: async (context, identity) =>
        await change(context, identity, await readBody(context, replaceUserBody)),
    },
    {
      route: deleteUserRoute,
      handler: async (context, identity) => {
        const id = userIdParameter(context);
        await users.remove(
          id,
          versionCondition(context.env.incoming.headers),
          actorOf(identity, id),
        );
        return new Response(null, { status: 204 });
      },
    },
    {
      route: exportUserRoute,
      handler: async (context, identity) => {
        const id = userIdParameter(context);
        return jsonResponse(await personalData.export(id, actorOf(identity, id)));
      },
    },
  ];
}
