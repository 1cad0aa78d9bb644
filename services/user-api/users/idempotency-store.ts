import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Sql } from 'postgres';
import type { User } from '../../contracts/users.ts';
import { isDuplicateOf } from '../database/errors.ts';
import type { DatabaseRouter } from '../database/router.ts';
import { toUser, type UserRow } from './user-row.ts';
import type { CreationKey } from './write-statements.ts';

/** Lifetime of an Idempotency-Key; maintenance (`lambda-workers/maintenance`) removes it later. */
export const IDEMPOTENCY_KEY_HOURS = 24;
/** PostgreSQL's name for the primary key of the table. */
const PRIMARY_KEY = 'idempotency_keys_pkey';

/** A stored creation; null where the user has been erased since. */
export interface StoredCreation {
  readonly fingerprint: string | null;
  readonly user: User | null;
}

interface IdempotencyRow {
  readonly fingerprint: string | null;
  readonly answer: UserRow | null;
}

/** Reads a key's row; deletes an expired one, so that the key is new again. */
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

/** Whether a creation failed because its key is stored already. */
export function isKeyTaken(error: unknown): boolean {
  return isDuplicateOf(error, PRIMARY_KEY);
}

/** Stores creations by Idempotency-Key. Key and body are stored as keyed digests only: clients choose keys freely, and a body holds a password. */
export class IdempotencyStore {
  readonly #router: DatabaseRouter;
  readonly #key: KeyObject;

  constructor(router: DatabaseRouter, secret: Buffer) {
    this.#router = router;
    this.#key = createSecretKey(secret);
  }

  /**
   * @param caller - scope of the key: another caller's equal key is another key.
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
    // As JSON, so that different lists of parts have different texts.
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64url');
  }
}
