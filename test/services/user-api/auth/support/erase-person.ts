import { ERASED_GENERATION } from '../../../../../services/user-api/auth/revocations/revocations.ts';
import { UserRepository } from '../../../../../services/user-api/users/repository.ts';
import type { AuthApi, Person } from './auth-api.ts';

/** Erases somebody as `Users.remove` does, but for the caches of users, which `AuthApi` does not have. */
export async function erasePerson(api: AuthApi, { id }: Person): Promise<void> {
  const actor = { kind: 'self', userId: id } as const;
  await new UserRepository(api.router).remove(id, null, actor);
  await api.authentication.sessionRevoker.forgetSessions(id, ERASED_GENERATION);
}
