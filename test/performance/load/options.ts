import { Command } from 'commander';
import { unknownName } from '../../../lib/config/configuration-error.ts';
import { LocalFailure } from '../../../services/local/local-failure.ts';
import { parseCommandLine } from '../../../services/local/parse-command-line.ts';
import { isScenarioName, type ScenarioName, scenarioNames, scenarios } from './scenarios.ts';
import { originOf } from './target.ts';

/** What the command line of a load test asks for. */
export interface LoadOptions {
  readonly scenario: ScenarioName;
  /** @default the system that runs on this machine */
  readonly origin?: string;
  readonly connections: number;
  readonly seconds: number;
  readonly rate?: number;
  readonly users: number;
  readonly headers: Readonly<Record<string, string>>;
  /** @default that of the system that runs on this machine, if that is the target */
  readonly metricsUrl?: string;
  /** Where the report goes. @default a new file in .local/load */
  readonly report?: string;
  /** Whether questions have been answered already. */
  readonly confirmed: boolean;
}

/** Where `npm start` has the API when it is not told otherwise. */
export const LOCAL_ORIGIN = 'http://127.0.0.1:3000';
const DEFAULT_SCENARIO: ScenarioName = 'steady';
const DEFAULT_CONNECTIONS = 20;
const DEFAULT_SECONDS = 60;
const DEFAULT_USERS = 1_000;
/** So that no forgotten terminal goes on and on. */
const MAXIMUM_SECONDS = 3_600;
const MAXIMUM_CONNECTIONS = 10_000;
const MAXIMUM_RATE = 1_000_000;
const MAXIMUM_USERS = 1_000_000_000;

const nameWidth = Math.max(...scenarioNames.map((name) => name.length));

const DETAILS = `
Scenarios
${scenarioNames.map((name) => `  ${name.padEnd(nameWidth)}  ${scenarios[name].summary}`).join('\n')}

The API limits how much one address may send. To measure the service rather than its limits, start it with high ones:
  npm start -- --high-limits`;

/** Reads a whole number from 1 to `maximum`; `example` is one. */
function wholeNumber(name: string, example: number, maximum: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= maximum) return number;
    throw new LocalFailure(
      `--${name} got "${text}"; it takes a whole number from 1 to ${maximum}.`,
      `For example: --${name} ${example}.`,
    );
  };
}

function addHeader(
  text: string,
  previous: Readonly<Record<string, string>>,
): Record<string, string> {
  const [, name, value] = /^([\w-]+):\s*([\x20-\x7e]+)$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined)
    return { ...previous, [name.toLowerCase()]: value };
  throw new LocalFailure(
    // Not the whole of it: it may be a secret.
    `--header got something that is no header (${text.length} characters).`,
    "It takes a name, a colon and a value: --header 'authorization: Bearer …'.",
  );
}

function metricsUrlOf(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
  throw new LocalFailure(
    `The metrics URL is "${text}"; it takes the whole URL of a Prometheus endpoint.`,
    'For example: --metrics-url http://127.0.0.1:9464/metrics.',
  );
}

function reportOf(path: string): string {
  if (!path.startsWith('-')) return path;
  throw new LocalFailure(
    `--report got "${path}"; it takes the path of a file.`,
    'For example: --report load.html.',
  );
}

function scenarioOf(name: string): ScenarioName {
  if (isScenarioName(name)) return name;
  throw new LocalFailure(
    unknownName('scenario', name, scenarioNames),
    'npm run load -- --help describes them.',
  );
}

function createCommand(): Command {
  return new Command('npm run load --')
    .description(
      'Puts load on the user API, shows how it goes, and writes a report with plots to .local/load.',
    )
    .option('--scenario <name>', 'one of those below', scenarioOf, DEFAULT_SCENARIO)
    .option(
      '--url <address>',
      `the API; anything but this machine asks first, as load there costs money (default: the system that runs on LOCAL_DIRECTORY, or ${LOCAL_ORIGIN})`,
      originOf,
    )
    .option(
      '--connections <count>',
      'clients at a time; each waits for its response before it sends again',
      wholeNumber('connections', DEFAULT_CONNECTIONS, MAXIMUM_CONNECTIONS),
      DEFAULT_CONNECTIONS,
    )
    .option(
      '--duration <seconds>',
      `at most ${MAXIMUM_SECONDS}`,
      wholeNumber('duration', DEFAULT_SECONDS, MAXIMUM_SECONDS),
      DEFAULT_SECONDS,
    )
    .option(
      '--rate <count>',
      'most requests a second (default: as many as are answered)',
      wholeNumber('rate', 100, MAXIMUM_RATE),
    )
    .option(
      '--users <count>',
      'the users with ids 1 to this are read',
      wholeNumber('users', DEFAULT_USERS, MAXIMUM_USERS),
      DEFAULT_USERS,
    )
    .option(
      '--header <name: value>',
      'sent with each request, such as a token; may be given several times',
      addHeader,
      {},
    )
    .option(
      '--metrics-url <url>',
      'where the service shows its Prometheus metrics (default: METRICS_URL, or found by itself on this machine)',
      metricsUrlOf,
    )
    .option(
      '--report <file>',
      'where to write the report (default: a new file in .local/load)',
      reportOf,
    )
    .option('-y, --yes', "don't ask", false)
    .addHelpText('after', DETAILS);
}

/**
 * The options of a command line, or the help when it asks for that.
 *
 * @throws {@link LocalFailure} naming the option that is wrong, and what it takes.
 */
export function parseOptions(
  commandLine: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): LoadOptions | string {
  const command = createCommand();
  const help = parseCommandLine(command, commandLine);
  if (help !== null) return help;
  const values = command.opts<{
    scenario: ScenarioName;
    url?: string;
    connections: number;
    duration: number;
    rate?: number;
    users: number;
    header: Readonly<Record<string, string>>;
    metricsUrl?: string;
    report?: string;
    yes: boolean;
  }>();
  const { METRICS_URL } = environment;
  const metricsUrl = values.metricsUrl ?? (METRICS_URL ? metricsUrlOf(METRICS_URL) : undefined);
  return {
    scenario: values.scenario,
    connections: values.connections,
    seconds: values.duration,
    users: values.users,
    headers: values.header,
    confirmed: values.yes,
    ...(values.url !== undefined && { origin: values.url }),
    ...(values.rate !== undefined && { rate: values.rate }),
    ...(metricsUrl !== undefined && { metricsUrl }),
    ...(values.report !== undefined && { report: values.report }),
  };
}
