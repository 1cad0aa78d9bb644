import type { UserStatus } from '../../contracts/users.ts';
import type { PreparedText } from '../database/statements.ts';
import { USER_COLUMNS, type UserRow } from './user-row.ts';

/**
 * The statements of lists, made of parts as a list is asked for. As text with numbered parameters, because postgres.js makes a query, with its promise, of each
 * part that is written as a template, which for a page costs more than sending it.
 */

/** Which users are in a list, and in which order. */
export interface UserListing {
  /** @default users of every status */
  readonly status?: UserStatus | undefined;
  readonly order:
    | { readonly by: 'creation'; readonly newestFirst: boolean }
    /** Only those whose name begins so, without regard to case. */
    | { readonly by: 'name'; readonly prefix: string };
}

/** Where in the order a page ends: the key of its last user. */
export interface ListPosition {
  /** By creation: the time, RFC 3339 in UTC. By name: the name in lower case, as PostgreSQL has it. */
  readonly key: string;
  readonly id: number;
}

/** A user on a page, and where it stands in the order. */
export interface ListedRow extends UserRow {
  readonly key: string;
}

/** Higher than any character that follows a prefix: the last code point of Unicode, which is and stays no character. */
const LAST_CODE_POINT = 0x10ffff;

/** The values of a statement, in the order of their numbers in its text. */
class Parameters {
  readonly values: (string | number)[] = [];

  /** @returns what stands for the value in the text. */
  add(value: string | number): string {
    return `$${this.values.push(value)}`;
  }
}

/**
 * What users are ordered by, besides the id: the expressions that the indexes have. Columns are named with their table, because a bare name in
 * ORDER BY is that of an output column, and the id in the output is converted: no index has that.
 */
const keyOf = ({ order }: UserListing) =>
  order.by === 'name' ? 'lower(users.name) collate "C"' : 'users.created_at';

const isDescending = ({ order }: UserListing) => order.by === 'creation' && order.newestFirst;

function orderBy(listing: UserListing): string {
  const direction = isDescending(listing) ? ' desc' : '';
  return `${keyOf(listing)}${direction}, users.id${direction}`;
}

/**
 * The condition on one range of one index: a status, a range of names, and what comes after a position. A range rather than LIKE,
 * because a plan that is made once for all prefixes cannot turn a LIKE into one.
 */
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

/** The page after a position, of {@link ListedRow}s: as many rows of an index as the page has, wherever it begins. */
export function usersAfter(
  listing: UserListing,
  after: ListPosition | null,
  limit: number,
): PreparedText {
  const parameters = new Parameters();
  const select = selectWhere(listing, conditions(listing, after, parameters));
  return { text: `${select} limit ${parameters.add(limit)}`, parameters: parameters.values };
}

/** The page behind so many users, of {@link ListedRow}s: reads those, too, so `offset` must be bounded. */
export function usersBehind(listing: UserListing, offset: number, limit: number): PreparedText {
  const parameters = new Parameters();
  const select = selectWhere(listing, conditions(listing, null, parameters));
  const text = `${select} limit ${parameters.add(limit)} offset ${parameters.add(offset)}`;
  return { text, parameters: parameters.values };
}

/** How many users are in a list, as `count`, counted up to a number. Ordered, so that an index is counted and not the table. */
export function countOfUsers(listing: UserListing, most: number): PreparedText {
  const parameters = new Parameters();
  const condition = conditions(listing, null, parameters);
  const counted = `select id from users where ${condition} order by ${orderBy(listing)} limit ${parameters.add(most)}`;
  return {
    text: `select count(*)::int as count from (${counted}) as counted`,
    parameters: parameters.values,
  };
}
