import type { DatabaseRouter } from '../../database/router.ts';
import { type Revocation, revocation } from './revocations.ts';

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
    await this.#router.write(
      (sql) => sql`insert into revocations (kind, subject) values ('session', ${sessionId})`,
    );
  }

  /**
   * Those written in the last `seconds`, of the writer, because a reader may be behind by more than that.
   *
   * @throws `DatabaseUnavailable`
   */
  async newest(seconds: number): Promise<Revocation[]> {
    const rows = await this.#router.readNewest(
      (sql) => sql`
        select kind, subject, generation from revocations
        where created_at > now() - make_interval(secs => ${seconds})`,
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
