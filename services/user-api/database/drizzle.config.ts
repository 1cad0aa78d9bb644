import { defineConfig } from 'drizzle-kit';

/** For `npm run migrations:generate`: writes the SQL that takes the last migration's tables to those of the schemas. */
export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './services/user-api/database/schema.ts',
    './services/user-api/auth/schema.ts',
    './services/user-api/auth/api-keys/schema.ts',
  ],
  out: './services/user-api/database/migrations',
});
