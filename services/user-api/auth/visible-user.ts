import type { User, VisibleUser } from '../../contracts/users.ts';
import { decide, mayUseField } from './authorization.ts';
import type { Identity } from './identity.ts';
import { userFieldPermissions } from './permissions.ts';

/**
 * The two ways to show a user: to everybody, without the email address; and with it. Which one a response has is decided in this
 * file alone.
 */
export type Representation = 'public' | 'private';

/** How `identity` may see the user with that id. */
export function representationFor(identity: Identity, userId: number): Representation {
  return mayUseField(userFieldPermissions.readEmail, identity, userId) ? 'private' : 'public';
}

/** How `identity` may see users in a list: with email addresses only who may see those of all. */
export function listRepresentationFor(identity: Identity): Representation {
  const ofAll = decide(userFieldPermissions.readEmail, identity, undefined);
  return ofAll === 'allowed' ? 'private' : 'public';
}

/** How a user is shown to whoever creates it: the request had the email address. */
export const creatorRepresentation: Representation = 'private';

export function shownUser(user: User, representation: Representation): VisibleUser {
  if (representation === 'private') return user;
  // JSON leaves it out. To copy all fields but one takes several times as long, which is felt in a page of users.
  return { ...user, email: undefined };
}
