import type { Sql } from 'postgres';
import { type User, userFieldNames } from '../../contracts/users.ts';
import { allColumns } from './user-columns.ts';

/** A user as PostgreSQL gives it: with times in its text form. */
export type UserRow = Readonly<User>;

/** The columns of a {@link UserRow}. The id is exact below 2^53, as ids are; postgres.js gives a bigint as text. */
export const USER_COLUMNS = allColumns
  .map(({ field, name }) => `${field === 'id' ? 'id::float8' : name} as "${field}"`)
  .join(', ');

/** {@link USER_COLUMNS} in a template of postgres.js. */
export const userColumns = (client: Sql) => client.unsafe(USER_COLUMNS);

/** PostgreSQL's text form of an instant of a year with four digits, in UTC: 2026-11-21 20:58:12.345678+00, without zeros at the end. */
const UTC_INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;
/** Where the date ends, and where the seconds do. */
const DATE_END = 10;
const SECONDS_END = 19;

/**
 * PostgreSQL's text form of an instant, as RFC 3339 in UTC with milliseconds, which what is finer is cut off to. Written
 * again where it is in UTC already: a page has forty of them, and a Date for each takes five times as long.
 */
export function isoInstant(text: string): string {
  if (!UTC_INSTANT.test(text)) return new Date(text).toISOString();
  const milliseconds = text
    .slice(SECONDS_END + 1, -'+00'.length)
    .slice(0, 3)
    .padEnd(3, '0');
  return `${text.slice(0, DATE_END)}T${text.slice(DATE_END + 1, SECONDS_END)}.${milliseconds}Z`;
}

/** All fields, in the order of the contract, and no other column of the row. */
export function toUser(row: UserRow): User {
  const shown: Record<string, unknown> = {};
  for (const field of userFieldNames) shown[field] = row[field];
  return {
    ...(shown as User),
    createdAt: isoInstant(row.createdAt),
    updatedAt: isoInstant(row.updatedAt),
  };
}
