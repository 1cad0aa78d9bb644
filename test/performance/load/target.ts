import { setTimeout as wait } from 'node:timers/promises';
import { LocalFailure } from '../../../services/local/local-failure.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const TIMEOUT_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 20;

/** Whether the address is this machine. */
export function isLocal(origin: string): boolean {
  return LOOPBACK.test(new URL(origin).hostname);
}

/** Whether two origins are one service: equal, or the same port of this machine by two names of it. */
export function isSameService(left: string, right: string): boolean {
  return (
    left === right ||
    (isLocal(left) && isLocal(right) && new URL(left).port === new URL(right).port)
  );
}

/**
 * The origin of a URL such as `https://example.com/`.
 *
 * @throws {LocalFailure} when it is not one of HTTP, or has a path.
 */
export function originOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new LocalFailure(
      `--url got "${text}"; it takes the address of the API.`,
      'For example: --url https://api.example.com, or --url http://127.0.0.1:3000.',
    );
  }
  if (url.pathname !== '/' || url.search !== '') {
    throw new LocalFailure(
      `--url got "${text}", which has a path; the scenarios know their paths themselves.`,
      `Give the address alone: --url ${url.origin}.`,
    );
  }
  return url.origin;
}

/**
 * Reads one user, as the load will.
 *
 * @throws {LocalFailure} when nothing answers, or the response is no user, with what to do about it.
 */
export async function checkTarget(
  origin: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`${origin}/api/v1/users/1`, {
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    await response.arrayBuffer();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new LocalFailure(
      `Nothing answers at ${origin} (${cause instanceof Error ? cause.message : String(cause)}).`,
      isLocal(origin)
        ? 'Start the system in another terminal: npm start. Or name another address with --url.'
        : 'Is the address right, and is the stack deployed?',
      { cause: error },
    );
  }
  if (response.status === 401 || response.status === 403) {
    throw new LocalFailure(
      `${origin} responds with ${response.status}: it wants to know who asks.`,
      "Give it a token or a key: --header 'authorization: Bearer …', or --header 'x-api-key: …'.",
    );
  }
  if (response.status === 404) {
    throw new LocalFailure(
      `${origin} has no user 1, and the scenarios read the users 1 to 1,000.`,
      'Is it the user API? npm start gives it demo users; a deployment wants some with these ids.',
    );
  }
  if (!response.ok && response.status !== 429) {
    throw new LocalFailure(
      `${origin}/api/v1/users/1 responds with ${response.status}.`,
      'Mend that first: a load test of something broken says nothing.',
    );
  }
}

/** Waits until something listens. @returns how long that took, in seconds. @throws the signal's reason. */
export async function waitForService(origin: string, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    try {
      const response = await fetch(`${origin}/health/ready`, { signal });
      await response.arrayBuffer();
      if (response.ok) return (performance.now() - startedAt) / 1_000;
    } catch {
      signal.throwIfAborted();
    }
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}
