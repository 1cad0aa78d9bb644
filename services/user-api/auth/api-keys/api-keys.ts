import {
  API_KEYS_MAXIMUM_PER_USER,
  type ApiKey,
  type CreateApiKeyBody,
  type CreatedApiKey,
} from '../../../contracts/api-keys.ts';
import type { Logger } from '../../observability/logger.ts';
import { AccessError } from '../errors.ts';
import type { RevocationFeed } from '../revocations/revocation-feed.ts';
import type { ApiKeyRepository } from './api-key-repository.ts';
import { apiKeyHash, apiKeyPrefix, createApiKeyText } from './api-key-text.ts';

export interface ApiKeysParts {
  readonly repository: ApiKeyRepository;
  readonly feed: Pick<RevocationFeed, 'publish'>;
  readonly logger: Logger;
}

/** Operations on API keys. All methods throw `DatabaseUnavailable` when the writer is down. */
export class ApiKeys {
  readonly #parts: ApiKeysParts;

  constructor(parts: ApiKeysParts) {
    this.#parts = parts;
  }

  /**
   * @returns the key, which is shown this once.
   * @throws {@link AccessError} too-many-api-keys
   */
  async create(userId: number, body: CreateApiKeyBody): Promise<CreatedApiKey> {
    const { logger, repository } = this.#parts;
    const key = createApiKeyText();
    const created = await repository.create({
      ...body,
      userId,
      prefix: apiKeyPrefix(key),
      keyHash: apiKeyHash(key),
    });
    if (created === null) {
      throw new AccessError(
        'too-many-api-keys',
        `A user may have ${API_KEYS_MAXIMUM_PER_USER} API keys.`,
      );
    }
    logger.info({ userId, apiKeyId: created.id, scopes: created.scopes }, 'API key created');
    return { ...created, key };
  }

  async list(userId: number): Promise<ApiKey[]> {
    return await this.#parts.repository.list(userId);
  }

  /**
   * Revokes a key: here at once, in other processes as `RevocationFeed` says. Idempotent.
   *
   * @throws {@link AccessError} api-key-not-found
   */
  async revoke(userId: number, apiKeyId: number, by: number): Promise<void> {
    const { feed, logger, repository } = this.#parts;
    if (!(await repository.revoke(userId, apiKeyId))) {
      throw new AccessError('api-key-not-found', 'The user has no API key with this id.');
    }
    logger.info({ userId, apiKeyId, by }, 'API key revoked');
    feed.publish({ kind: 'api-key', apiKeyId });
  }
}
