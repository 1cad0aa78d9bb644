import type { LoadSurroundings } from './load-and-report.ts';
import { parseOptions } from './options.ts';

/**
 * `npm run load`.
 *
 * @returns the path of the report, or null when help was asked for.
 * @throws `LocalFailure` for a command line that cannot be understood, and when the API does not respond as it should.
 */
export async function load(
  commandLine: readonly string[],
  surroundings: LoadSurroundings,
): Promise<string | null> {
  const options = parseOptions(commandLine, surroundings.environment);
  if (typeof options === 'string') {
    surroundings.output.write(options);
    return null;
  }
  // It takes long to load; a mistake on the command line should not wait for it.
  const { loadAndReport } = await import('./load-and-report.ts');
  return await loadAndReport(options, surroundings);
}
