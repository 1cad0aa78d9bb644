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

/** API keys in PostgreSQL. All methods throw `DatabaseUnavailable`. */
export class ApiKeyRepository {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /** @returns null when the user has the maximum number of keys. */
  async create(key: NewApiKey): Promise<ApiKey | null> {
    const row = await this.#router.write((sql) => insertApiKey(sql, key));
    return row === undefined ? null : toApiKey(row);
  }

  /** Valid keys, then those that ended in the last 30 days, newest first; 200 at most. */
  async list(userId: number): Promise<ApiKey[]> {
    const rows = await this.#router.readNewest((sql) => selectApiKeys(sql, userId));
    return rows.map(toApiKey);
  }

  async revoke(userId: number, apiKeyId: number): Promise<boolean> {
    const rows = await this.#router.write((sql) => revokeApiKey(sql, userId, apiKeyId));
    return rows.length > 0;
  }

  /** The grant of the key with this hash; null when none is valid. A reader may lag. */
  async findGrant(keyHash: string, on: 'reader' | 'writer'): Promise<ApiKeyGrant | null> {
    const query = (sql: Sql) => selectApiKeyGrant(sql, keyHash);
    const [row] = await (on === 'writer'
      ? this.#router.readNewest(query)
      : this.#router.read(query));
    return row ?? null;
  }

  async recordUses(apiKeyIds: readonly number[]): Promise<void> {
    await this.#router.write((sql) => updateLastUses(sql, apiKeyIds));
  }
}
