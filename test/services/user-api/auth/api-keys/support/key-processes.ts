import type { Sql } from 'postgres';
import type { CreatedApiKey } from '../../../../../../services/contracts/api-keys.ts';
import type { ProblemDetails } from '../../../../../../services/contracts/problem.ts';
import { createSigningKeySet } from '../../../../../../services/user-api/auth/tokens/key-rotation.ts';
import { createMigratedDatabase } from '../../../../../support/database.ts';
import {
  type AuthApi,
  connect,
  createPerson,
  logIn,
  type Person,
  startAuthApi,
} from '../../support/auth-api.ts';

export interface KeyProcesses {
  /** The database, as its owner. */
  readonly sql: Sql;
  readonly api: AuthApi;
  /** Another process, with reads from the replica, which only Redis can tell what was revoked. */
  readonly other: AuthApi;
  /** One that only the database tells. */
  readonly deaf: AuthApi;
  stop(): Promise<void>;
}

/** Three processes on one database: two of them share a Redis, and the third has none. */
export async function startKeyProcesses(redisUrl: string): Promise<KeyProcesses> {
  const database = await createMigratedDatabase();
  const sql = connect(database);
  const keys = JSON.stringify(await createSigningKeySet());
  const api = await startAuthApi({ database, redisUrl, keys });
  const other = await startAuthApi({
    database,
    redisUrl,
    keys,
    readers: true,
    options: { revocationPollSeconds: 3_600, apiKeyUseWriteMilliseconds: 100 },
  });
  const deaf = await startAuthApi({ database, keys, options: { revocationPollSeconds: 0.2 } });
  return {
    sql,
    api,
    other,
    deaf,
    async stop() {
      for (const each of [api, other, deaf]) await each.stop();
      await sql.end();
      await database.drop();
    },
  };
}

export const pathOf = (person: Person) => `/api/v1/users/${person.id}/api-keys`;

/** The status that the API key gets at `/auth/me`. */
export async function me(on: AuthApi, apiKey: string): Promise<number> {
  return (await on.call('GET', '/api/v1/auth/me', { apiKey })).status;
}

/** A new person, logged in. */
export async function comeIn({
  api,
  sql,
}: Pick<KeyProcesses, 'api' | 'sql'>): Promise<{ person: Person; token: string }> {
  const person = await createPerson(api, sql);
  return { person, token: (await logIn(api, person)).accessToken };
}

export async function createKey(api: AuthApi, person: Person, token: string, fields: object = {}) {
  return await api.call<CreatedApiKey & ProblemDetails>('POST', pathOf(person), {
    token,
    body: { name: 'nightly export', scopes: ['users:read-private'], ...fields },
  });
}
