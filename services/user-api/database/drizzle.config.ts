import { defineConfig } from 'drizzle-kit';

/** For `npm run migrations:generate`: writes the SQL that takes the last migration's tables to those of schema.ts. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './services/user-api/database/schema.ts',
  out: './services/user-api/database/migrations',
});
