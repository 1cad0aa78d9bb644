import type { PreparedText } from '../database/prepared-text.ts';
import { USER_COLUMNS } from './user-row.ts';

const USERS_WITH_IDS = `select ${USER_COLUMNS} from users where id = any($1::text::bigint[])`;

/** The users with those ids, in no order, of `UserRow`s. One text for however many they are, so that it is prepared once. */
export function usersWithIds(ids: readonly number[]): PreparedText {
  return { text: USERS_WITH_IDS, parameters: [`{${ids.join(',')}}`] };
}
