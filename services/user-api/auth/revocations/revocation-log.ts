import { gt, sql } from 'drizzle-orm';
import { type Database, preparedStatements } from '../../database/pool.ts';
import type { DatabaseRouter } from '../../database/router.ts';
import { revocations as table } from '../schema.ts';
import { type Revocation, revocation } from './revocations.ts';

const secondsAgo = (seconds: unknown) => sql`now() - make_interval(secs => ${seconds})`;

const statements = preparedStatements((database: Database) => ({
  addSession: database
    .insert(table)
    .values({ kind: 'session', subject: sql.placeholder('sessionId') })
    .prepare('add_revoked_session'),
  newest: database
    .select({ kind: table.kind, subject: table.subject, generation: table.generation })
    .from(table)
    .where(gt(table.createdAt, secondsAgo(sql.placeholder('seconds'))))
    .prepare('newest_revocations'),
}));

/** Revocations in PostgreSQL, where they are true; what processes tell each other is only faster. */
export class RevocationLog {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /**
   * Adds the end of a session. What else is revoked is added by the statement that revokes it.
   *
   * @throws `DatabaseUnavailable`
   */
  async addSession(sessionId: string): Promise<void> {
    await this.#router.write((database) => statements(database).addSession.execute({ sessionId }));
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
