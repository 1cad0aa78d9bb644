import type { Redis } from 'ioredis';
import type { Sql } from 'postgres';

/** Reading a user through Redis, as both peers on Node.js do it. */

const LIFETIME_SECONDS = 60;

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly status: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly version: number;
}

/**
 * Cache-aside: the user as JSON from Redis, or from PostgreSQL and then put into Redis.
 *
 * @returns null when there is no such user.
 */
export async function readUser(redis: Redis, sql: Sql, id: string): Promise<string | null> {
  const key = `peer:user:${id}`;
  const cached = await redis.get(key);
  if (cached !== null) return cached;
  const [row] = await sql<UserRow[]>`
    select id, name, email, status, created_at, updated_at, version from users where id = ${id}
  `;
  if (row === undefined) return null;
  const json = JSON.stringify({
    id: Number(row.id),
    name: row.name,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    version: row.version,
  });
  await redis.set(key, json, 'EX', LIFETIME_SECONDS);
  return json;
}
