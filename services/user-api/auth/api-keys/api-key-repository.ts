import type { Sql } from 'postgres';
import type { ApiKey } from '../../../contracts/api-keys.ts';
import type { DatabaseRouter } from '../../database/router.ts';
import {
  type ApiKeyGrantRow,
  type ApiKeyRow,
  insertApiKey,
  type NewApiKey,
  revokeApiKey,
  selectApiKeyGrant,
  selectApiKeys,
  updateLastUses,
} from './api-key-statements.ts';

export type ApiKeyGrant = ApiKeyGrantRow;

const isoInstant = (text: string) => new Date(text).toISOString();
const isoOrNull = (text: string | null) => (text === null ? null : isoInstant(text));

const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  scopes: [...row.scopes],
  createdAt: isoInstant(row.createdAt),
  expiresAt: isoInstant(row.expiresAt),
  lastUsedAt: isoOrNull(row.lastUsedAt),
  revokedAt: isoOrNull(row.revokedAt),
});

/** API keys in PostgreSQL. All methods throw `DatabaseUnavailable` when no server that can do it answers. */
export class ApiKeyRepository {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /** @returns null when the user has as many keys as one may. */
  async create(key: NewApiKey): Promise<ApiKey | null> {
    const row = await this.#router.write((sql) => insertApiKey(sql, key));
    return row === undefined ? null : toApiKey(row);
  }

  /** Those that are good, then those that ended in the last 30 days, the newest first; 200 at most. */
  async list(userId: number): Promise<ApiKey[]> {
    const rows = await this.#router.readNewest((sql) => selectApiKeys(sql, userId));
    return rows.map(toApiKey);
  }

  /** @returns whether the user has such a key; it is revoked then. */
  async revoke(userId: number, apiKeyId: number): Promise<boolean> {
    const rows = await this.#router.write((sql) => revokeApiKey(sql, userId, apiKeyId));
    return rows.length > 0;
  }

  /** What the key with this hash may do; null when there is none that is good. A reader may not know it yet, or still know it. */
  async findGrant(keyHash: string, on: 'reader' | 'writer'): Promise<ApiKeyGrant | null> {
    const query = (sql: Sql) => selectApiKeyGrant(sql, keyHash);
    const [row] = await (on === 'writer'
      ? this.#router.readNewest(query)
      : this.#router.read(query));
    return row ?? null;
  }

  /** Writes that keys have just been used. */
  async recordUses(apiKeyIds: readonly number[]): Promise<void> {
    await this.#router.write((sql) => updateLastUses(sql, apiKeyIds));
  }
}
