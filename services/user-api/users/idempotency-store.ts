import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Sql } from 'postgres';
import type { User } from '../../contracts/users.ts';
import { isDuplicateOf } from '../database/errors.ts';
import type { DatabaseRouter } from '../database/router.ts';
import { toUser, type UserRow } from './user-row.ts';
import type { CreationKey } from './write-statements.ts';

/** How long the response to an Idempotency-Key counts; maintenance (`lambda-workers/maintenance`) removes it some time after. */
export const IDEMPOTENCY_KEY_HOURS = 24;
/** PostgreSQL's name for the primary key of the table. */
const PRIMARY_KEY = 'idempotency_keys_pkey';

/** What is remembered of a creation; null where the user has been erased since. */
export interface StoredCreation {
  readonly fingerprint: string | null;
  readonly user: User | null;
}

interface IdempotencyRow {
  readonly fingerprint: string | null;
  readonly answer: UserRow | null;
}

/** Finds a key's row; one that is too old is removed by the way, so that the key is new again. */
function takeRow(client: Sql, digest: string) {
  return client<IdempotencyRow[]>`
    with outdated as (
      delete from idempotency_keys
      where digest = ${digest} and created_at <= now() - make_interval(hours => ${IDEMPOTENCY_KEY_HOURS})
    )
    select fingerprint, answer from idempotency_keys
    where digest = ${digest} and created_at > now() - make_interval(hours => ${IDEMPOTENCY_KEY_HOURS})
  `;
}

/** Whether a creation failed because its key is remembered already. */
export function isKeyTaken(error: unknown): boolean {
  return isDuplicateOf(error, PRIMARY_KEY);
}

/**
 * Remembers creations by the Idempotency-Key of their requests. Neither the key nor the body is stored, but digests that are worth nothing
 * without the secret: clients write into keys what they like, and a body holds a password.
 */
export class IdempotencyStore {
  readonly #router: DatabaseRouter;
  readonly #key: KeyObject;

  constructor(router: DatabaseRouter, secret: Buffer) {
    this.#router = router;
    this.#key = createSecretKey(secret);
  }

  /**
   * @param caller - who sent the key: the same key of another caller is another one.
   * @param body - the fields of the request, always in the same order.
   */
  keyOf(caller: string, idempotencyKey: string, body: object): CreationKey {
    return {
      digest: this.#digest('key', caller, idempotencyKey),
      fingerprint: this.#digest('body', JSON.stringify(body)),
    };
  }

  /** @throws `DatabaseUnavailable` */
  async recall({ digest }: CreationKey): Promise<StoredCreation | null> {
    const [row] = await this.#router.readNewest((sql) => takeRow(sql, digest));
    if (row === undefined) return null;
    const { answer, fingerprint } = row;
    return { fingerprint, user: answer === null ? null : toUser(answer) };
  }

  #digest(...parts: readonly string[]): string {
    // As JSON, so that no two lists of parts read the same.
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64url');
  }
}
