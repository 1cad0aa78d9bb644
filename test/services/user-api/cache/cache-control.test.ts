import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../../support/database.ts';
import { type Caller, createUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';

const UNKNOWN_ID = 4_000_000_000;

/** The table of docs/cache.md. */
const routes: readonly {
  readonly what: string;
  readonly path: (id: number) => string;
  readonly as?: Caller;
  readonly expected: string;
}[] = [
  {
    what: 'a user, for an administrator',
    path: (id) => `/api/v1/users/${id}`,
    as: 'admin',
    expected: 'private, no-cache',
  },
  {
    what: 'a user, for everybody',
    path: (id) => `/api/v1/users/${id}`,
    expected: 'public, no-cache',
  },
  {
    what: 'a list, for an administrator',
    path: () => '/api/v1/users',
    as: 'admin',
    expected: 'private, no-cache',
  },
  { what: 'a list, for everybody', path: () => '/api/v1/users', expected: 'public, no-cache' },
  { what: 'an unknown user', path: () => `/api/v1/users/${UNKNOWN_ID}`, expected: 'no-store' },
  { what: 'an unknown path', path: () => '/nothing/here', expected: 'no-store' },
  { what: 'health', path: () => '/health', expected: 'no-store' },
  {
    what: 'keys of access tokens',
    path: () => '/.well-known/jwks.json',
    expected: 'public, max-age=300',
  },
  { what: 'the document of the API', path: () => '/openapi.json', expected: 'public, max-age=300' },
  {
    what: 'a page about problems',
    path: () => '/problems/user-not-found',
    expected: 'public, max-age=3600',
  },
];

describe('Cache-Control', () => {
  let api: TestApi & { readonly database: TestDatabase };
  let id: number;

  beforeAll(async () => {
    // A reader that is behind may give another page a moment later.
    api = await startApiOnNewDatabase({ readers: false });
    id = (await createUser(api)).id;
  });
  afterAll(async () => {
    await api.stop();
  });

  it.each(routes)('of $what says $expected', async ({ as, expected, path }) => {
    const response = await api.call('GET', path(id), as === undefined ? {} : { as });
    expect(response.headers.get('cache-control')).toBe(expected);
  });

  it('of a list and a user is there with 304, too', async () => {
    for (const path of [`/api/v1/users/${id}`, '/api/v1/users']) {
      const first = await api.call('GET', path);
      const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
      const second = await api.call('GET', path, { headers });
      expect(second.status).toBe(304);
      expect(second.headers.get('cache-control')).toBe('public, no-cache');
    }
  });
});
