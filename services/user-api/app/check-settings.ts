import { databaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import { EnvironmentError, readEnvironment } from '../../contracts/environment/read.ts';
import { parseSigningKeySet, UnusableSigningKeys } from '../auth/tokens/signing-keys.ts';
import { policiesWith } from '../rate-limit/default-policies.ts';
import { PolicyError } from '../rate-limit/policy.ts';

/** What stands for a database that is not known yet. */
const ANY_DATABASE = 'postgres://user@127.0.0.1/database';

/**
 * What the service would refuse at its start in variables that are valid one by one.
 *
 * @returns a message for each fault.
 * @throws {@link EnvironmentError} when a variable is not valid.
 */
export function checkSettings(
  source: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const settings = readEnvironment(
    [
      'RATE_LIMITS',
      'ACCESS_TOKEN_KEYS',
      'DATABASE_AUTHENTICATION',
      'DATABASE_PASSWORD_FILE',
      'DATABASE_TLS',
      'AWS_REGION',
    ],
    source,
  );
  const { ACCESS_TOKEN_KEYS: keys, RATE_LIMITS: limits } = settings;
  const checks: readonly (() => unknown)[] = [
    () => policiesWith(limits),
    () => keys === undefined || parseSigningKeySet(keys),
    () => databaseConnectionOptions(source.DATABASE_URL || ANY_DATABASE, settings),
  ];
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      const expected =
        error instanceof PolicyError ||
        error instanceof UnusableSigningKeys ||
        error instanceof EnvironmentError;
      if (expected) return [error.message];
      throw error;
    }
  });
}
