import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { demoCreatedAt } from '../../../services/user-api/users/demo-data.ts';
import { ALL_USERS, benchmarkCursors } from './cursors.ts';

/** One request of a sequence. */
export interface PlannedRequest {
  /** Path and query. */
  readonly path: string;
  readonly body?: string;
}

/** The requests that a load generator sends, one after the other, and then from the start again. */
export interface RequestSequence {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** How many different requests there are. */
  readonly length: number;
  /** The request at a place: 0 to `length` - 1. */
  at(place: number): PlannedRequest;
}

const USERS_PATH = '/api/v1/users';
/** What the users are called that a run creates. */
export const NEW_USER_NAME = 'New Bench User';

/** Users by id, from `first` to `last`, both included. */
export function usersById(
  first: number,
  last: number,
  headers: Readonly<Record<string, string>> = {},
): RequestSequence {
  return {
    method: 'GET',
    headers,
    length: last - first + 1,
    at: (place) => ({ path: `${USERS_PATH}/${first + place}` }),
  };
}

/** Pages of 20, each after another of the first `last` demo users. */
export function userPages(last: number): RequestSequence {
  const cursors = benchmarkCursors();
  return {
    method: 'GET',
    headers: {},
    length: last,
    at(place) {
      const id = place + 1;
      const cursor = cursors.encode(ALL_USERS, [demoCreatedAt(id), id]);
      return { path: `${USERS_PATH}?limit=20&cursor=${cursor}` };
    },
  };
}

/**
 * New users, each with an address of its own.
 *
 * @param run - part of the addresses, so that two runs don't meet.
 */
export function newUsers(run: string, length: number): RequestSequence {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    length,
    at: (place) => ({
      path: USERS_PATH,
      body: JSON.stringify({ name: NEW_USER_NAME, email: `new.${run}.${place}@example.com` }),
    }),
  };
}

/** Writes a line for each request: its path, and behind a tab its body, if it has one. */
export async function writeRequests(file: string, sequence: RequestSequence): Promise<void> {
  await writeLines(file, sequence.length, (place) => {
    const { path, body } = sequence.at(place);
    return body === undefined ? path : `${path}\t${body}`;
  });
}

/** Writes a line for each request: its whole URL. */
export async function writeUrls(
  file: string,
  origin: string,
  sequence: RequestSequence,
): Promise<void> {
  await writeLines(file, sequence.length, (place) => `${origin}${sequence.at(place).path}`);
}

const LINES_AT_ONCE = 1_000;

async function writeLines(
  file: string,
  length: number,
  lineAt: (place: number) => string,
): Promise<void> {
  const stream = createWriteStream(file);
  for (let start = 0; start < length; start += LINES_AT_ONCE) {
    const count = Math.min(LINES_AT_ONCE, length - start);
    const lines = Array.from({ length: count }, (_, index) => `${lineAt(start + index)}\n`);
    stream.write(lines.join(''));
  }
  stream.end();
  await finished(stream);
}
