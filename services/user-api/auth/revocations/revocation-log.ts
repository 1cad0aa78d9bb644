import type { DatabaseRouter } from '../../database/router.ts';
import { type Revocation, revocation } from './revocations.ts';

/** Revocations in PostgreSQL, the source of truth; messages over Redis are only faster. */
export class RevocationLog {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /**
   * Adds the revocation of a session. Other kinds are added by the revoking statement.
   *
   * @throws `DatabaseUnavailable`
   */
  async addSession(sessionId: string): Promise<void> {
    await this.#router.write(
      (sql) => sql`insert into revocations (kind, subject) values ('session', ${sessionId})`,
    );
  }

  /**
   * Revocations of the last `seconds`, from the writer, because a reader may lag by more.
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
