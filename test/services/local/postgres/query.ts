import postgres from 'postgres';

/** Runs one statement on a connection of its own. */
export async function query(url: string, statement: string): Promise<postgres.Row[]> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await client.unsafe(statement);
  } finally {
    await client.end();
  }
}
