import postgres from 'postgres';
import {
  type DatabaseConnectionSettings,
  databaseConnectionOptions,
} from '../../../../services/contracts/database/connection-options.ts';

/** Connects to the URL of its first argument with the settings of its second, and writes down how it went. */
const [url = '', settings = '{}'] = process.argv.slice(2);
const parsed: DatabaseConnectionSettings = JSON.parse(settings);
const sql = postgres(url, {
  ...databaseConnectionOptions(url, parsed),
  max: 1,
  connect_timeout: 5,
});
try {
  await sql`select 1`;
  console.log('connected');
} catch (error) {
  console.log(error instanceof Error && 'code' in error ? error.code : error);
}
await sql.end({ timeout: 0 });
