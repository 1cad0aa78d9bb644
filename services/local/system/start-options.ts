import { Command } from 'commander';
import { parseCommandLine } from '../parse-command-line.ts';

export interface StartOptions {
  /** Whether the logs of all parts are shown on the screen as they come. */
  readonly followLogs: boolean;
  /** Whether the rate limits are as high as they can be, for load tests. */
  readonly highLimits: boolean;
}

const DETAILS = `
Environment (all of it: docs/environment.md)
  PORT                   port of the API, default 3000
  DATABASE_URL           use this PostgreSQL and start none; DATABASE_READER_URLS adds its readers
  REDIS_URL              use this Redis and start none
  SQS_ENDPOINT           use SQS at this address and start none; needs EMAIL_QUEUE_URL
  LOCAL_DIRECTORY        folder of data, logs and mailbox, default .local

See also: npm run reset, which deletes the local data.`;

/**
 * Options of the command line, or its help.
 *
 * @throws {@link LocalFailure} for an unknown option.
 */
export function parseArguments(commandLine: readonly string[]): string | StartOptions {
  const command = new Command('npm start --')
    .description(
      `Starts the whole system on this machine, on loopback only: PostgreSQL with a replica, Redis (when installed), SQS, the
user API, the email worker and a mailbox page. Ctrl-C stops all of it.`,
    )
    .option('--logs', 'show the logs of all parts on the screen', false)
    .option(
      '--high-limits',
      'set rate limits that no load test on one machine reaches; those in RATE_LIMITS stay as they are there',
      false,
    )
    .addHelpText('after', DETAILS);
  const help = parseCommandLine(command, commandLine);
  if (help !== null) return help;
  const { logs, highLimits } = command.opts<{ logs: boolean; highLimits: boolean }>();
  return { followLogs: logs, highLimits };
}
