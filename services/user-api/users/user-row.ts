import type { Sql } from 'postgres';
import type { User, UserStatus } from '../../contracts/users.ts';

/** A user as PostgreSQL gives it. */
export interface UserRow {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly status: UserStatus;
  /** In PostgreSQL's text form. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

/** The columns of a {@link UserRow}. The id is exact below 2^53, as ids are; postgres.js gives a bigint as text. */
export const USER_COLUMNS =
  'id::float8 as id, name, email, status, created_at as "createdAt", updated_at as "updatedAt", version';

/** {@link USER_COLUMNS} in a template of postgres.js. */
export const userColumns = (client: Sql) => client.unsafe(USER_COLUMNS);

/** PostgreSQL's text form of an instant of a year with four digits, in UTC: 2026-11-21 20:58:12.345678+00, without zeros at the end. */
const UTC_INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;
/** Where the date ends, and where the seconds do. */
const DATE_END = 10;
const SECONDS_END = 19;

/**
 * PostgreSQL's text form of an instant, as RFC 3339 in UTC with milliseconds, which what is finer is cut off to. Written
 * anew where it is in UTC already: a page has forty of them, and a Date for each takes five times as long.
 */
export function isoInstant(text: string): string {
  if (!UTC_INSTANT.test(text)) return new Date(text).toISOString();
  const milliseconds = text
    .slice(SECONDS_END + 1, -'+00'.length)
    .slice(0, 3)
    .padEnd(3, '0');
  return `${text.slice(0, DATE_END)}T${text.slice(DATE_END + 1, SECONDS_END)}.${milliseconds}Z`;
}

export const toUser = (row: UserRow): User => ({
  id: row.id,
  name: row.name,
  email: row.email,
  status: row.status,
  createdAt: isoInstant(row.createdAt),
  updatedAt: isoInstant(row.updatedAt),
  version: row.version,
});
