import { gt, sql } from 'drizzle-orm';
import { type Database, preparedStatements } from '../../database/pool.ts';
import type { DatabaseRouter } from '../../database/router.ts';
import { revocations as table } from '../schema.ts';
import { type Revocation, revocation } from './revocations.ts';

const secondsAgo = (seconds: unknown) => sql`now() - make_interval(secs => ${seconds})`;

const statements = preparedStatements((database: Database) => ({
  add: database
    .insert(table)
    .values({
      kind: sql.placeholder('kind'),
      subject: sql.placeholder('subject'),
      generation: sql.placeholder('generation'),
    })
    .prepare('add_revocation'),
  newest: database
    .select({ kind: table.kind, subject: table.subject, generation: table.generation })
    .from(table)
    .where(gt(table.createdAt, secondsAgo(sql.placeholder('seconds'))))
    .prepare('newest_revocations'),
}));

function rowOf(revoked: Revocation) {
  switch (revoked.kind) {
    case 'user':
      return { subject: String(revoked.userId), generation: revoked.generation };
    case 'session':
      return { subject: revoked.sessionId, generation: null };
    case 'api-key':
      return { subject: String(revoked.apiKeyId), generation: null };
  }
}

/** Revocations in PostgreSQL, where they are true; what processes tell each other is only faster. */
export class RevocationLog {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /** @throws `DatabaseUnavailable` */
  async add(revoked: Revocation): Promise<void> {
    await this.#router.write((database) =>
      statements(database).add.execute({ kind: revoked.kind, ...rowOf(revoked) }),
    );
  }

  /**
   * Those written in the last `seconds`, of the writer, because a reader may be behind by more than that.
   *
   * @throws `DatabaseUnavailable`
   */
  async newest(seconds: number): Promise<Revocation[]> {
    const rows = await this.#router.readNewest((database) =>
      statements(database).newest.execute({ seconds }),
    );
    return rows.map(({ kind, subject, generation }) =>
      revocation.parse({
        kind,
        generation,
        sessionId: subject,
        userId: Number(subject),
        apiKeyId: Number(subject),
      }),
    );
  }
}
