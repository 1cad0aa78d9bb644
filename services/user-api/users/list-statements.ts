import type { UserStatus } from '../../contracts/users.ts';
import type { PreparedText } from '../database/statements.ts';
import { USER_COLUMNS, type UserRow } from './user-row.ts';

/**
 * The statements of lists. As text with numbered parameters, because postgres.js makes a query with its promise of each fragment of a
 * template,
 * which for a page costs more than sending it.
 */

export interface UserListing {
  /** @default users of every status */
  readonly status?: UserStatus | undefined;
  readonly order:
    | { readonly by: 'creation'; readonly newestFirst: boolean }
    /** By prefix of the name, ignoring case. */
    | { readonly by: 'name'; readonly prefix: string };
}

/** Position in the order: the key of a page's last user. */
export interface ListPosition {
  /** By creation: the time, RFC 3339 in UTC. By name: the name in lower case, as PostgreSQL has it. */
  readonly key: string;
  readonly id: number;
}

export interface ListedRow extends UserRow {
  readonly key: string;
}

/** Sorts after any character that can follow a prefix: the last code point of Unicode, a permanent noncharacter. */
const LAST_CODE_POINT = 0x10ffff;

/** Parameter values in order. */
class Parameters {
  readonly values: (string | number)[] = [];

  /** @returns the placeholder. */
  add(value: string | number): string {
    return `$${this.values.push(value)}`;
  }
}

/**
 * Sort keys besides the id, as the indexes have them. Column names include their table, because a bare name in ORDER BY is the output
 * column's, and the
 * converted id in the output has no index.
 */
const keyOf = ({ order }: UserListing) =>
  order.by === 'name' ? 'lower(users.name) collate "C"' : 'users.created_at';

const isDescending = ({ order }: UserListing) => order.by === 'creation' && order.newestFirst;

function orderBy(listing: UserListing): string {
  const direction = isDescending(listing) ? ' desc' : '';
  return `${keyOf(listing)}${direction}, users.id${direction}`;
}

/** The condition on one range of one index: a status, a range of names, and a position. A range, because a generic plan cannot turn LIKE into one. */
function conditions(
  listing: UserListing,
  after: ListPosition | null,
  parameters: Parameters,
): string {
  const { order, status } = listing;
  const key = keyOf(listing);
  const parts: string[] = [];
  if (status !== undefined) parts.push(`status = ${parameters.add(status)}`);
  if (order.by === 'name') {
    const prefix = `lower(${parameters.add(order.prefix)}::text)`;
    parts.push(`${key} >= ${prefix} and ${key} < ${prefix} || chr(${LAST_CODE_POINT})`);
  }
  if (after !== null) {
    const type = order.by === 'name' ? 'text' : 'timestamptz';
    const comparison = isDescending(listing) ? '<' : '>';
    parts.push(
      `(${key}, users.id) ${comparison} (${parameters.add(after.key)}::${type}, ${parameters.add(after.id)}::bigint)`,
    );
  }
  return parts.length === 0 ? 'true' : parts.join(' and ');
}

const selectWhere = (listing: UserListing, condition: string) =>
  `select ${USER_COLUMNS}, ${keyOf(listing)} as key from users where ${condition} order by ${orderBy(listing)}`;

/** A page of {@link ListedRow}s after a position: reads as many index rows as the page has, at any depth. */
export function usersAfter(
  listing: UserListing,
  after: ListPosition | null,
  limit: number,
): PreparedText {
  const parameters = new Parameters();
  const select = selectWhere(listing, conditions(listing, after, parameters));
  return { text: `${select} limit ${parameters.add(limit)}`, parameters: parameters.values };
}

/** A page of {@link ListedRow}s after `offset` rows, which are read too: bound it. */
export function usersBehind(listing: UserListing, offset: number, limit: number): PreparedText {
  const parameters = new Parameters();
  const select = selectWhere(listing, conditions(listing, null, parameters));
  const text = `${select} limit ${parameters.add(limit)} offset ${parameters.add(offset)}`;
  return { text, parameters: parameters.values };
}

/** Number of users as `count`, up to a maximum. Ordered, so that PostgreSQL scans an index and not the table. */
export function countOfUsers(listing: UserListing, most: number): PreparedText {
  const parameters = new Parameters();
  const condition = conditions(listing, null, parameters);
  const counted = `select id from users where ${condition} order by ${orderBy(listing)} limit ${parameters.add(most)}`;
  return {
    text: `select count(*)::int as count from (${counted}) as counted`,
    parameters: parameters.values,
  };
}
