import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { readEnvironment } from '../../../services/contracts/environment/read.ts';
import { LocalFailure } from '../../../services/local/local-failure.ts';
import { findSystem } from '../../../services/local/system/system-file.ts';
import { findLowLimits } from './limits.ts';
import { LOCAL_ORIGIN, type LoadOptions } from './options.ts';
import { makeReport } from './report/report.ts';
import { type RunResult, runLoad } from './run.ts';
import { type Mix, type Scenario, scenarios } from './scenarios.ts';
import { createScreen, type Output } from './screen.ts';
import { checkTarget, isLocal, isSameService, waitForService } from './target.ts';
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
/** How to measure the service rather than its limits. */
const limitsRemedy = (origin: string) =>
  isLocal(origin)
    ? 'To measure the service rather than its limits, start it with high ones: npm start -- --high-limits.'
    : 'To measure the service rather than its limits, give it higher ones in RATE_LIMITS (docs/rate-limiting.md).';

/**
 * Loads the API and writes a report.
 *
 * @returns the path of the report.
 * @throws {@link LocalFailure} when the response to a question is no, and when the API does not respond as it should.
 */
export async function loadAndReport(
  options: LoadOptions,
  surroundings: LoadSurroundings,
): Promise<string> {
  const { output, signal } = surroundings;
  const scenario: Scenario = scenarios[options.scenario];
  const { LOCAL_DIRECTORY } = readEnvironment(['LOCAL_DIRECTORY'], surroundings.environment);
  const localSystem = () => findSystem(resolve(LOCAL_DIRECTORY));
  const origin = options.origin ?? localSystem()?.apiUrl ?? LOCAL_ORIGIN;
  const { connections, seconds, rate } = options;
  const load = { ...options, origin, mix: scenario.mix };
  if (!isLocal(origin) && !options.confirmed) await confirmCost(load, surroundings);

  const screen = createScreen(output, seconds);
  const notes: string[] = [];
  if (scenario.waitsForService === true) {
    screen.line(`Waiting until ${origin} is ready (Ctrl-C to stop)`);
    const waited = await waitForService(origin, signal);
    if (waited < 1) {
      notes.push(
        'The service was there before the load test: it began with whatever its caches held.',
      );
    }
  } else {
    await checkTarget(origin, options.headers);
  }
  await checkLimits(load, surroundings);
  const system = localSystem();
  const metricsUrl =
    options.metricsUrl ??
    (system !== null && isSameService(system.apiUrl, origin) ? system.metricsUrl : undefined);

  if (scenario.mix.update > 0 && !hasCredentials(options.headers)) {
    notes.push(
      'Users were read instead of changed, because nobody without a login may change them. Give the API key of an administrator with the scope users:write: --header "x-api-key: …".',
    );
  }
  screen.line(`${options.scenario}: ${scenario.summary}`);
  const startedAt = new Date();
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
  notes.push(...notesOn(result, origin));
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
function notesOn({ outcomes, generatorBusy }: RunResult, origin: string): string[] {
  const notes: string[] = [];
  const total = totalOf(outcomes);
  if (total === 0) notes.push('Nothing was answered.');
  const limited = total === 0 ? 0 : outcomes.limited / total;
  if (limited > LIMITED_SHARE) {
    notes.push(
      `${Math.round(limited * 100)} % of the requests got 429, because of the API’s rate limits. ${limitsRemedy(origin)}`,
    );
  }
  if (generatorBusy > GENERATOR_LIMIT) {
    notes.push(
      `The load test itself was busy ${Math.round(generatorBusy * 100)} % of the time: the figures show its own limit as much as the service’s. wrk (test/performance/load/users.lua) sends several times as much.`,
    );
  }
  return notes;
}

/** A load test whose target is known. */
type PlannedLoad = LoadOptions & { readonly origin: string; readonly mix: Mix };

/** @throws {LocalFailure} when the response is no, or nobody is there to give one. */
async function goOn({ ask }: LoadSurroundings): Promise<void> {
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

async function confirmCost(load: PlannedLoad, surroundings: LoadSurroundings): Promise<void> {
  const { origin, seconds, rate, mix } = load;
  const amount =
    rate === undefined
      ? `as many requests as it answers for ${seconds} s (--rate sets a limit)`
      : `up to ${(rate * seconds).toLocaleString('en')} requests`;
  const writes =
    mix.create + mix.update > 0
      ? '\nIt creates users there, and they stay; their welcome emails go to the mailbox simulator of Amazon SES.'
      : '';
  surroundings.output.write(
    `\n${origin} is not this machine. The load is ${amount}, and the operator of that service pays for it: CloudFront and WAF by the request, load balancer, tasks, database and functions by their use, and all of it again if auto scaling adds to them.${writes}\nLoad only what is yours.\n`,
  );
  await goOn(surroundings);
}

/** Says which limits the load would meet, and goes on only when that is meant. */
async function checkLimits(load: PlannedLoad, surroundings: LoadSurroundings): Promise<void> {
  const limits = await findLowLimits(load);
  if (limits.length === 0) return;
  const lines = limits.map(
    ({ policy, requests, windowSeconds }) =>
      `The API lets this address send ${requests.toLocaleString('en')} ${policy} in ${windowSeconds} s, and responds with 429 beyond that: less than this load test sends.\n`,
  );
  const rate = Math.min(...limits.map((limit) => limit.rate));
  const lower = rate >= 1 ? ` Or stay below them: --rate ${rate}.` : '';
  surroundings.output.write(`\n${lines.join('')}${limitsRemedy(load.origin)}${lower}\n`);
  if (!load.confirmed) await goOn(surroundings);
}
