import { eq, sql } from 'drizzle-orm';
import { type Database, preparedStatements } from '../database/pool.ts';
import { users } from '../database/schema.ts';

/** What is asked most of all, prepared on one pool's connections. */
export const userStatements = preparedStatements((database: Database) => ({
  find: database
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('find_user'),
}));
