import { setTimeout as wait } from 'node:timers/promises';
import type { RequestSequence } from './requests.ts';
import type { SubjectServer } from './server.ts';
import { DifferentAnswers, type Stage } from './stage.ts';
import type { Subject } from './subjects.ts';

/** How many requests of the sequence are sent to each subject, spread over all of it. */
const SAMPLES = 20;

interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/**
 * Sends the same requests to each subject and compares status, content type and body with the first subject's, byte by byte.
 *
 * @param options.status - what each answer must have.
 * @throws {@link DifferentAnswers} showing the request and both answers.
 */
export async function verifySameAnswers(options: {
  readonly subjects: readonly Subject[];
  readonly requests: RequestSequence;
  readonly status: number;
  readonly stage: Pick<Stage, 'start'>;
}): Promise<void> {
  const { subjects, requests, status, stage } = options;
  const samples = Math.min(SAMPLES, requests.length);
  const places = Array.from({ length: samples }, (_, index) =>
    Math.floor((index * (requests.length - 1)) / Math.max(1, samples - 1)),
  );
  const { servers, stop } = await startAll(subjects, stage);
  try {
    const asked: { subject: Subject; server: SubjectServer; answers: Answer[] }[] = [];
    for (const [turn, [subject, server]] of servers.entries()) {
      const answers: Answer[] = [];
      for (const place of places) answers.push(await ask(server.origin, requests, place, turn));
      asked.push({ subject, server, answers });
    }
    const [first] = asked;
    for (const { subject, server, answers } of asked) {
      for (const [index, answer] of answers.entries()) {
        const expected = first?.answers[index];
        const same = JSON.stringify(answer) === JSON.stringify(expected);
        if (same && answer.status === status) continue;
        throw new DifferentAnswers(
          [
            `${subject.name} does not answer as it should, with status ${status} and as ${first?.subject.name} does.`,
            `  request: ${requests.method} ${requests.at(places[index] ?? 0).path}`,
            `  ${first?.subject.name}: ${JSON.stringify(expected)}`,
            `  ${subject.name}: ${JSON.stringify(answer)}`,
            ...(await loggedErrors(server)).map((line) => `  ${line}`),
          ].join('\n'),
        );
      }
    }
  } finally {
    await stop();
  }
}

/** Side by side, as nothing is measured. When one does not start, those that did are ended. */
async function startAll(subjects: readonly Subject[], stage: Pick<Stage, 'start'>) {
  const starting = await Promise.allSettled(
    subjects.map(async (subject) => [subject, await stage.start(subject)] as const),
  );
  const servers = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => void (await Promise.all(servers.map(([, server]) => server.stop())));
  for (const one of starting) {
    if (one.status === 'fulfilled') continue;
    await stop();
    throw one.reason;
  }
  return { servers, stop };
}

const LOG_LINES = 200;
const LOG_LINES_SHOWN = 2;
/** As pino writes it, as a number or by name. */
const ERROR_LEVEL = /"level":(?:[56]0|"(?:error|fatal)")/i;
/** Logs are gathered before they are written. */
const LOG_DELAY_MILLISECONDS = 500;

/** The last errors in a server's log; its lines are JSON, where it logs as pino does. */
async function loggedErrors(server: SubjectServer): Promise<string[]> {
  await wait(LOG_DELAY_MILLISECONDS);
  return server
    .lastLogLines(LOG_LINES)
    .filter((line) => ERROR_LEVEL.test(line))
    .slice(-LOG_LINES_SHOWN);
}

/** @param turn - which subject is asked: what one has created, the next cannot create again. */
async function ask(
  origin: string,
  requests: RequestSequence,
  place: number,
  turn: number,
): Promise<Answer> {
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
