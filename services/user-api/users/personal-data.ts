import {
  PERSONAL_DATA_ENTRIES_MAXIMUM,
  type PersonalData,
  personalData,
} from '../../contracts/personal-data.ts';
import { UserNotFound } from '../auth/errors.ts';
import type { SessionStore } from '../auth/sessions/session-store.ts';
import type { DatabaseRouter } from '../database/router.ts';
import { selectHeldData } from './personal-data-statements.ts';
import { isoInstant } from './user-row.ts';
import type { AuditedActor } from './write-statements.ts';

const TIME_FIELD = /At$/;

/** PostgreSQL's JSON has times with an offset. */
function withIsoTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withIsoTimes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      TIME_FIELD.test(name) && typeof field === 'string' ? isoInstant(field) : withIsoTimes(field),
    ]),
  );
}

export class PersonalDataExporter {
  readonly #router: DatabaseRouter;
  readonly #sessions: Pick<SessionStore, 'list'>;

  constructor(router: DatabaseRouter, sessions: Pick<SessionStore, 'list'>) {
    this.#router = router;
    this.#sessions = sessions;
  }

  /**
   * All data of a user. Caches hold copies of a part of it.
   *
   * @throws {@link UserNotFound}, `DatabaseUnavailable`; `AccessError` sessions-unavailable, because a part would be missing.
   */
  async export(id: number, actor: AuditedActor): Promise<PersonalData> {
    const sessions = (await this.#sessions.list(id))
      .toSorted((one, other) => one.beganAt.localeCompare(other.beganAt))
      .slice(-PERSONAL_DATA_ENTRIES_MAXIMUM);
    const [held] = await this.#router.write((sql) => selectHeldData(sql, id, actor));
    if (held === undefined) throw new UserNotFound('There is no such user');
    return personalData.parse({
      exportedAt: new Date().toISOString(),
      sessions,
      ...Object(withIsoTimes(held)),
    });
  }
}
