import { parseArgs } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { LocalFailure } from '../../services/local/local-failure.ts';
import { isScenarioName, type ScenarioName, scenarioNames, scenarios } from './scenarios.ts';
import { originOf } from './target.ts';

/** What the command line of a load test asks for. */
export interface LoadOptions {
  readonly scenario: ScenarioName;
  readonly origin: string;
  readonly connections: number;
  readonly seconds: number;
  readonly rate?: number;
  readonly users: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly metricsUrl?: string;
  /** Where the report goes. @default a new file in .local/load */
  readonly report?: string;
  /** Whether the question about cost has been answered already. */
  readonly confirmed: boolean;
}

const LOCAL_ORIGIN = 'http://127.0.0.1:3000';
const DEFAULT_CONNECTIONS = 20;
const DEFAULT_SECONDS = 60;
const DEFAULT_USERS = 1_000;
/** So that no forgotten terminal goes on and on. */
const MAXIMUM_SECONDS = 3_600;
const MAXIMUM_CONNECTIONS = 10_000;
const MAXIMUM_RATE = 1_000_000;
const MAXIMUM_USERS = 1_000_000_000;

const nameWidth = Math.max(...scenarioNames.map((name) => name.length));

export const usage = `Usage: npm run load -- --scenario <name> [options]

Puts load on the user API, shows how it goes, and writes a report with plots to .local/load.

Scenarios
${scenarioNames.map((name) => `  ${name.padEnd(nameWidth)}  ${scenarios[name].summary}`).join('\n')}

Options
  --url <address>        the API, default ${LOCAL_ORIGIN}; anything but this machine asks first, as load there costs money
  --connections <count>  clients at a time, default ${DEFAULT_CONNECTIONS}; each waits for its answer before it asks again
  --duration <seconds>   default ${DEFAULT_SECONDS}, at most ${MAXIMUM_SECONDS}
  --rate <count>         most requests a second; default as many as are answered
  --users <count>        the users with ids 1 to this are read, default ${DEFAULT_USERS}
  --header <name: value> sent with each request, such as a token; may be given several times
  --metrics-url <url>    where the service shows its Prometheus metrics; default METRICS_URL
  --report <file>        where to write the report
  --yes                  don't ask
  --help

The API limits how much one address may ask for. To measure the service rather than its limits, start it with higher ones:
  RATE_LIMITS=reads=10000000/60,creates=10000/1,updates=10000/1 npm start
`;

function wholeNumber(
  name: string,
  text: string | undefined,
  standard: number,
  maximum: number,
): number {
  if (text === undefined) return standard;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= maximum) return number;
  throw new LocalFailure(
    `--${name} got "${text}"; it takes a whole number from 1 to ${maximum}.`,
    `For example: --${name} ${standard}.`,
  );
}

function headersOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([\w-]+):\s*([\x20-\x7e]+)$/.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name.toLowerCase(), value];
      throw new LocalFailure(
        // Not the whole of it: it may be a secret.
        `--header got something that is no header (${text.length} characters).`,
        "It takes a name, a colon and a value: --header 'authorization: Bearer …'.",
      );
    }),
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

function scenarioOf(name: string | undefined): ScenarioName {
  if (name !== undefined && isScenarioName(name)) return name;
  const all = scenarioNames.join(', ');
  if (name === undefined) {
    throw new LocalFailure('No scenario is named.', `Choose one: --scenario ${all}.`);
  }
  throw new LocalFailure(
    `There is no scenario "${name}"; there are ${all}.`,
    `Did you mean ${closest(name, scenarioNames)}? npm run load -- --help describes them.`,
  );
}

function parse(commandLine: readonly string[]) {
  try {
    return parseArgs({
      args: [...commandLine],
      options: {
        scenario: { type: 'string' },
        url: { type: 'string', default: LOCAL_ORIGIN },
        connections: { type: 'string' },
        duration: { type: 'string' },
        rate: { type: 'string' },
        users: { type: 'string' },
        header: { type: 'string', multiple: true, default: [] },
        'metrics-url': { type: 'string' },
        report: { type: 'string' },
        yes: { type: 'boolean', short: 'y', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LocalFailure(reason, 'See npm run load -- --help for the options there are.');
  }
}

/**
 * The options of a command line, or `'help'` when the usage is asked for.
 *
 * @throws {@link LocalFailure} naming the option that is wrong, and what it takes.
 */
export function parseOptions(
  commandLine: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): LoadOptions | 'help' {
  const values = parse(commandLine);
  if (values.help) return 'help';
  const metricsUrl = values['metrics-url'] ?? (environment.METRICS_URL || undefined);
  return {
    scenario: scenarioOf(values.scenario),
    origin: originOf(values.url),
    connections: wholeNumber(
      'connections',
      values.connections,
      DEFAULT_CONNECTIONS,
      MAXIMUM_CONNECTIONS,
    ),
    seconds: wholeNumber('duration', values.duration, DEFAULT_SECONDS, MAXIMUM_SECONDS),
    users: wholeNumber('users', values.users, DEFAULT_USERS, MAXIMUM_USERS),
    headers: headersOf(values.header),
    confirmed: values.yes,
    ...(values.rate !== undefined && { rate: wholeNumber('rate', values.rate, 100, MAXIMUM_RATE) }),
    ...(metricsUrl !== undefined && { metricsUrl: metricsUrlOf(metricsUrl) }),
    ...(values.report !== undefined && { report: values.report }),
  };
}
