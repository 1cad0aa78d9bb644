import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { LocalFailure } from '../../services/local/local-failure.ts';
import { type LoadOptions, parseOptions, usage } from './options.ts';
import { makeReport } from './report/report.ts';
import { type RunResult, runLoad } from './run.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { createScreen, type Output } from './screen.ts';
import { checkTarget, isLocal, waitForService } from './target.ts';
import { totalOf } from './timeline.ts';
import { hasCredentials, Traffic } from './traffic.ts';

/** What the load test needs of the world around it. */
export interface LoadSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  /** Asks a question that is answered by yes or no; null when there is nobody to ask. */
  readonly ask: ((question: string) => Promise<boolean>) | null;
  /** Ends the load; what was measured by then is reported. */
  readonly signal: AbortSignal;
}

/** Above this share of its time, the generator may be slower than the service. */
const GENERATOR_LIMIT = 0.9;
/** Above this share, limits are what is measured. */
const LIMITED_SHARE = 0.01;
const LIMITS_REMEDY =
  'To measure the service rather than its limits, start it with higher ones: RATE_LIMITS=reads=10000000/60,creates=10000/1,updates=10000/1 npm start';

/**
 * `npm run load`.
 *
 * @returns the path of the report, or null when there was nothing to do.
 * @throws {@link LocalFailure} for a command line that cannot be understood, and when the API does not answer as it should.
 */
export async function load(
  commandLine: readonly string[],
  surroundings: LoadSurroundings,
): Promise<string | null> {
  const { output, signal } = surroundings;
  const options = parseOptions(commandLine, surroundings.environment);
  if (options === 'help') {
    output.write(usage);
    return null;
  }
  const scenario: Scenario = scenarios[options.scenario];
  if (!isLocal(options.origin) && !options.confirmed) await confirm(options, surroundings);

  const screen = createScreen(output, options.seconds);
  const notes: string[] = [];
  if (scenario.waitsForService === true) {
    screen.line(`Waiting until ${options.origin} is ready (Ctrl-C to stop)`);
    const waited = await waitForService(options.origin, signal);
    if (waited < 1) {
      notes.push(
        'The service was there before the load test: it began with whatever its caches held.',
      );
    }
  } else {
    const { rateLimit } = await checkTarget(options.origin, options.headers);
    if (rateLimit !== null) {
      const { requests, windowSeconds } = rateLimit;
      if (requests / windowSeconds < (options.rate ?? Number.POSITIVE_INFINITY)) {
        screen.line(
          `The API lets this address read ${requests.toLocaleString('en')} times in ${windowSeconds} s, and answers 429 beyond that.`,
        );
      }
    }
  }

  if (scenario.mix.update > 0 && !hasCredentials(options.headers)) {
    notes.push(
      'Users were read instead of changed, because nobody without a login may change them. Give the API key of an administrator with the scope users:write: --header "x-api-key: …".',
    );
  }
  screen.line(`${options.scenario}: ${scenario.summary}`);
  const startedAt = new Date();
  const { origin, connections, seconds, rate, metricsUrl } = options;
  const result = await runLoad({
    origin,
    phases: scenario.phases,
    connections,
    seconds,
    ...(rate !== undefined && { rate }),
    ...(metricsUrl !== undefined && { metricsUrl }),
    traffic: new Traffic({
      mix: scenario.mix,
      popularity: scenario.popularity,
      users: options.users,
      run: randomBytes(4).toString('hex'),
      headers: options.headers,
    }),
    onSecond: screen.second,
    signal,
  });
  notes.push(...notesOn(result));
  screen.summary(result);
  for (const note of notes) screen.warn(note);

  const path = resolve(options.report ?? defaultPath(options, startedAt));
  const page = await makeReport(result, {
    scenario: options.scenario,
    summary: scenario.summary,
    origin,
    startedAt,
    connections,
    ...(rate !== undefined && { rate }),
    ...(metricsUrl !== undefined && { metricsUrl }),
    notes,
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, page);
  screen.line(`\n  Report: ${relative(process.cwd(), path)}`);
  return path;
}

function defaultPath({ scenario }: LoadOptions, startedAt: Date): string {
  const time = startedAt.toISOString().slice(0, 19).replaceAll(':', '-');
  return `.local/load/${scenario}-${time}.html`;
}

/** What was in the way of measuring the service. */
function notesOn({ outcomes, generatorBusy }: RunResult): string[] {
  const notes: string[] = [];
  const total = totalOf(outcomes);
  if (total === 0) notes.push('Nothing was answered.');
  const limited = total === 0 ? 0 : outcomes.limited / total;
  if (limited > LIMITED_SHARE) {
    notes.push(
      `${Math.round(limited * 100)} % of the requests were answered 429, because of the API’s rate limits. ${LIMITS_REMEDY}`,
    );
  }
  if (generatorBusy > GENERATOR_LIMIT) {
    notes.push(
      `The load test itself was busy ${Math.round(generatorBusy * 100)} % of the time: the figures show its own limit as much as the service’s. wrk (test/load/users.lua) sends several times as much.`,
    );
  }
  return notes;
}

/** @throws {LocalFailure} when the answer is no, or nobody is there to give one. */
async function confirm(options: LoadOptions, { output, ask }: LoadSurroundings): Promise<void> {
  const { origin, seconds, rate, scenario } = options;
  const { create, update } = scenarios[scenario].mix;
  const amount =
    rate === undefined
      ? `as many requests as it answers for ${seconds} s (--rate sets a limit)`
      : `up to ${(rate * seconds).toLocaleString('en')} requests`;
  const writes =
    create + update > 0
      ? '\nIt creates users there, and they stay; their welcome emails go to the mailbox simulator of Amazon SES.'
      : '';
  output.write(
    `\n${origin} is not this machine. The load is ${amount}, and whoever runs that service pays for it: CloudFront and WAF by the request, load balancer, tasks, database and functions by their use, and all of it again if auto scaling adds to them.${writes}\nLoad only what is yours.\n`,
  );
  if (ask === null) {
    throw new LocalFailure(
      'There is no terminal to ask whether to go on.',
      'Say so on the command line if you mean it: --yes.',
    );
  }
  if (!(await ask('Go on? (y/N) '))) {
    throw new LocalFailure('Nothing was sent.', 'Answer y, or give --yes, to go on.');
  }
}
