import type postgres from 'postgres';
import { type Credentials, OWNER, REPLICATOR } from './credentials.ts';
import { scramVerifier } from './scram-verifier.ts';

/**
 * Creates missing roles and the application's database.
 *
 * @returns whether the database was created.
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
  // CREATE DATABASE cannot run in a transaction.
  await administrator`CREATE DATABASE ${administrator(database)} OWNER ${administrator(OWNER)}`;
  return true;
}

/** CREATE ROLE takes no parameters: the text has a verifier, not the password. */
async function createRole(
  administrator: postgres.Sql,
  name: string,
  rights: string,
  password: string,
): Promise<void> {
  await administrator.unsafe(`CREATE ROLE ${name} ${rights} PASSWORD '${scramVerifier(password)}'`);
}
