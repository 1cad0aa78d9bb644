import type { Sql } from 'postgres';
import { type User, userFieldNames } from '../../contracts/users.ts';
import { allColumns } from './user-columns.ts';

/** A user with times in PostgreSQL's text form. */
export type UserRow = Readonly<User>;

/** The columns of a {@link UserRow}. postgres.js gives a bigint as text; ids are below 2^53. */
export const USER_COLUMNS = allColumns
  .map(({ field, name }) => `${field === 'id' ? 'id::float8' : name} as "${field}"`)
  .join(', ');

/** {@link USER_COLUMNS} in a template of postgres.js. */
export const userColumns = (client: Sql) => client.unsafe(USER_COLUMNS);

/** PostgreSQL's text form of an instant in UTC: 2026-11-21 20:58:12.345678+00, without trailing zeros. */
const UTC_INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;
const DATE_END = 10;
const SECONDS_END = 19;

/**
 * RFC 3339 in UTC, truncated to milliseconds. Instants in UTC are rewritten as text: a page has forty of them, and a Date takes five times as
 * long.
 */
export function isoInstant(text: string): string {
  if (!UTC_INSTANT.test(text)) return new Date(text).toISOString();
  const milliseconds = text
    .slice(SECONDS_END + 1, -'+00'.length)
    .slice(0, 3)
    .padEnd(3, '0');
  return `${text.slice(0, DATE_END)}T${text.slice(DATE_END + 1, SECONDS_END)}.${milliseconds}Z`;
}

/** The fields of the contract, in its order. */
export function toUser(row: UserRow): User {
  const shown: Record<string, unknown> = {};
  for (const field of userFieldNames) shown[field] = row[field];
  return {
    ...(shown as User),
    createdAt: isoInstant(row.createdAt),
    updatedAt: isoInstant(row.updatedAt),
  };
}
