import type postgres from 'postgres';
import { type Credentials, OWNER, REPLICATOR } from './credentials.ts';
import { scramVerifier } from './scram-verifier.ts';

/**
 * Makes the roles and the application's database that are not there yet.
 * @returns whether the database was made.
 */
export async function prepareDatabase(
  administrator: postgres.Sql,
  database: string,
  credentials: Credentials,
): Promise<boolean> {
  const [found] = await administrator`
    SELECT
      EXISTS (SELECT FROM pg_roles WHERE rolname = ${OWNER}) AS owner,
      EXISTS (SELECT FROM pg_roles WHERE rolname = ${REPLICATOR}) AS replicator,
      EXISTS (SELECT FROM pg_database WHERE datname = ${database}) AS database`;
  if (!found?.owner) {
    await createRole(administrator, OWNER, 'LOGIN CREATEROLE', credentials.owner);
  }
  if (!found?.replicator) {
    await createRole(administrator, REPLICATOR, 'LOGIN REPLICATION', credentials.replicator);
  }
  if (found?.database) return false;
  // Not in one transaction with the roles: CREATE DATABASE cannot be.
  await administrator`CREATE DATABASE ${administrator(database)} OWNER ${administrator(OWNER)}`;
  return true;
}

/** CREATE ROLE takes no parameters, so that its text is all there is: it holds no password. */
async function createRole(
  administrator: postgres.Sql,
  name: string,
  rights: string,
  password: string,
): Promise<void> {
  await administrator.unsafe(`CREATE ROLE ${name} ${rights} PASSWORD '${scramVerifier(password)}'`);
}
