import type { PendingQuery, Row, Sql } from 'postgres';
import type { UserStatus } from '../../contracts/users.ts';
import { type UserRow, userColumns } from './user-row.ts';

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

type Fragment = PendingQuery<Row[]>;

/** Higher than any character that follows a prefix: the last code point of Unicode, which is and stays no character. */
const LAST_CODE_POINT = 0x10ffff;

/**
 * What users are ordered by, besides the id: the expressions that the indexes have. Columns are named with their table, because a bare name in
 * ORDER BY is that of an output column, and the id in the output is converted: no index has that.
 */
const keyOf = (client: Sql, { order }: UserListing): Fragment =>
  order.by === 'name' ? client`lower(users.name) collate "C"` : client`users.created_at`;

const isDescending = ({ order }: UserListing) => order.by === 'creation' && order.newestFirst;

function orderBy(client: Sql, listing: UserListing): Fragment {
  const key = keyOf(client, listing);
  return isDescending(listing) ? client`${key} desc, users.id desc` : client`${key}, users.id`;
}

/**
 * The condition on one range of one index: a status, a range of names, and what comes after a position. A range rather than LIKE,
 * because a plan that is made once for all prefixes cannot turn a LIKE into one.
 */
function conditions(client: Sql, listing: UserListing, after: ListPosition | null): Fragment {
  const { order, status } = listing;
  const parts: Fragment[] = [];
  if (status !== undefined) parts.push(client`status = ${status}`);
  if (order.by === 'name') {
    parts.push(client`
      ${keyOf(client, listing)} >= lower(${order.prefix}::text)
      and ${keyOf(client, listing)} < lower(${order.prefix}::text) || chr(${LAST_CODE_POINT})
    `);
  }
  if (after !== null) {
    const position =
      order.by === 'name'
        ? client`(${after.key}::text, ${after.id}::bigint)`
        : client`(${after.key}::timestamptz, ${after.id}::bigint)`;
    const key = client`(${keyOf(client, listing)}, users.id)`;
    parts.push(isDescending(listing) ? client`${key} < ${position}` : client`${key} > ${position}`);
  }
  const [first = client`true`, ...others] = parts;
  return others.reduce((all, part) => client`${all} and ${part}`, first);
}

/** The page after a position: as many rows of an index as the page has, wherever it begins. */
export function selectUsersAfter(
  client: Sql,
  listing: UserListing,
  after: ListPosition | null,
  limit: number,
) {
  return client<ListedRow[]>`
    select ${userColumns(client)}, ${keyOf(client, listing)} as key from users
    where ${conditions(client, listing, after)}
    order by ${orderBy(client, listing)} limit ${limit}
  `;
}

/** The page behind so many users: reads those, too, so `offset` must be bounded. */
export function selectUsersBehind(
  client: Sql,
  listing: UserListing,
  offset: number,
  limit: number,
) {
  return client<ListedRow[]>`
    select ${userColumns(client)}, ${keyOf(client, listing)} as key from users
    where ${conditions(client, listing, null)}
    order by ${orderBy(client, listing)} limit ${limit} offset ${offset}
  `;
}

/** How many users are in a list, counted up to a number. Ordered, so that an index is counted and not the table. */
export function countUsers(client: Sql, listing: UserListing, most: number) {
  return client<{ count: number }[]>`
    select count(*)::int as count from (
      select id from users where ${conditions(client, listing, null)}
      order by ${orderBy(client, listing)} limit ${most}
    ) as counted
  `;
}
