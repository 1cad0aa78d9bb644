/**
 * The environment for PostgreSQL's programs: this process's own without what would change what they do. `PG…` holds
 * defaults for connections, which the replica's to the primary would take, and `LC_…` and `LANG` those for new data.
 */
export function serverEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(PG|LC_|LANG)/.test(name)),
  );
}
