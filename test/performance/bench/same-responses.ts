import { setTimeout as wait } from 'node:timers/promises';
import type { RequestSequence } from './requests.ts';
import type { SubjectServer } from './server.ts';
import type { Stage } from './stage.ts';
import type { Subject } from './subjects.ts';

/** How many requests of the sequence are sent to each subject, spread over all of it. */
const SAMPLES = 20;

interface ReceivedResponse {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

export interface SameResponsesOptions {
  readonly subjects: readonly Subject[];
  readonly requests: RequestSequence;
  /** What each response must have. */
  readonly status: number;
  readonly stage: Pick<Stage, 'start'>;
}

/**
 * Sends the same requests to each subject and compares status, content type and body, byte by byte, with those of the first that
 * responds with the right status.
 *
 * @returns of each subject that answers something else, the request and both answers; of one that does not respond at all, why.
 */
export async function verifySameResponses(
  options: SameResponsesOptions,
): Promise<ReadonlyMap<string, string>> {
  const { requests, stage, status, subjects } = options;
  const samples = Math.min(SAMPLES, requests.length);
  const places = Array.from({ length: samples }, (_, index) =>
    Math.floor((index * (requests.length - 1)) / Math.max(1, samples - 1)),
  );
  // Side by side, as nothing is measured.
  const asked = await Promise.all(
    subjects.map((subject, turn) => askSubject(subject, turn, { places, requests, stage })),
  );
  const isRight = ({ responses }: Requested) =>
    responses.every((response) => response.status === status);
  const standard = asked.find((one) => one.failure === null && isRight(one));
  const reasons = new Map<string, string>();
  for (const one of asked) {
    const { responses, failure, logged, subject } = one;
    const different = responses.findIndex(
      (response, index) =>
        response.status !== status ||
        JSON.stringify(response) !== JSON.stringify(standard?.responses[index]),
    );
    if (failure !== null) reasons.set(subject.name, failure);
    else if (different >= 0) {
      const expected = standard?.responses[different];
      reasons.set(
        subject.name,
        [
          `it does not respond as it should, with status ${status}${standard === undefined ? '' : ` and as ${standard.subject.name} does`}`,
          `  request: ${requests.method} ${requests.at(places[different] ?? 0).path}`,
          ...(expected === undefined ? [] : [`  expected: ${JSON.stringify(expected)}`]),
          `  got: ${JSON.stringify(responses[different])}`,
          ...logged.map((line) => `  ${line}`),
        ].join('\n'),
      );
    }
  }
  return reasons;
}

/** What a subject answered, or why it did not. */
interface Requested {
  readonly subject: Subject;
  readonly responses: readonly ReceivedResponse[];
  readonly failure: string | null;
  readonly logged: readonly string[];
}

/** @param turn - tells the subjects apart: what one has created, the next cannot create again. */
async function askSubject(
  subject: Subject,
  turn: number,
  {
    places,
    requests,
    stage,
  }: Pick<SameResponsesOptions, 'requests' | 'stage'> & { readonly places: readonly number[] },
): Promise<Requested> {
  let server: SubjectServer | undefined;
  try {
    server = await stage.start(subject);
    const responses: ReceivedResponse[] = [];
    for (const place of places) responses.push(await ask(server.origin, requests, place, turn));
    const failed = responses.some(({ status }) => status >= FIRST_FAILURE_STATUS);
    const logged = failed ? await loggedErrors(server) : [];
    return { subject, responses, failure: null, logged };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { subject, responses: [], failure, logged: [] };
  } finally {
    await server?.stop();
  }
}

const FIRST_FAILURE_STATUS = 500;
const LOG_LINES = 200;
const LOG_LINES_SHOWN = 2;
/** As pino writes it, as a number or by name. */
const ERROR_LEVEL = /"level":(?:[56]0|"(?:error|fatal)")/i;
/** Logs are batched before they are written. */
const LOG_DELAY_MILLISECONDS = 500;

/** The last errors in a server's log; its lines are JSON, where it logs as pino does. */
async function loggedErrors(server: SubjectServer): Promise<string[]> {
  await wait(LOG_DELAY_MILLISECONDS);
  return server
    .lastLogLines(LOG_LINES)
    .filter((line) => ERROR_LEVEL.test(line))
    .slice(-LOG_LINES_SHOWN);
}

async function ask(
  origin: string,
  requests: RequestSequence,
  place: number,
  turn: number,
): Promise<ReceivedResponse> {
  const { path, body } = requests.at(place);
  const response = await fetch(`${origin}${path}`, {
    method: requests.method,
    headers: requests.headers,
    ...(body !== undefined && { body: body.replace('new.', `verify-${turn}.`) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    contentType: response.headers.get('content-type')?.split(';')[0] ?? null,
    body: requests.method === 'POST' ? withoutWhatDiffers(text, turn) : text,
  };
}

/** What a created user cannot have in common with another one: its id, its times, and the mark of this check in its address. */
function withoutWhatDiffers(body: string, turn: number): string {
  return body
    .replace(/"id":[1-9]\d*/, '"id":<id>')
    .replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"<instant>"')
    .replace(`verify-${turn}.`, 'verify.');
}
