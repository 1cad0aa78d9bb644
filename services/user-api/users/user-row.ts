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
export const userColumns = (client: Sql) => client`
  id::float8 as id, name, email, status, created_at as "createdAt", updated_at as "updatedAt", version
`;

/** PostgreSQL's text form of an instant, as RFC 3339 in UTC. */
export const isoInstant = (text: string) => new Date(text).toISOString();

export const toUser = (row: UserRow): User => ({
  id: row.id,
  name: row.name,
  email: row.email,
  status: row.status,
  createdAt: isoInstant(row.createdAt),
  updatedAt: isoInstant(row.updatedAt),
  version: row.version,
});
