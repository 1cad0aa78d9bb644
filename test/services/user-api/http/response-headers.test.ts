import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { permissions } from '../../../../services/user-api/auth/permissions.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { createUser, startTestApi } from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';

const PAGE = 'https://www.example.com';

let database: TestDatabase;

beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => {
  await database.drop();
});

async function start(environment: Readonly<Record<string, string>> = {}) {
  const api = await startTestApi({ database, environment });
  onTestFinished(() => api.stop());
  return api;
}

describe('security headers', () => {
  it.each([
    ['GET', '/api/v1/users', 200],
    ['GET', '/nothing', 404],
    ['PATCH', '/api/v1/users/1', 401],
    ['OPTIONS', '/api/v1/users', 204],
    ['GET', `/api/v1/users?cursor=${'a'.repeat(2_100)}`, 414],
  ])('are on %s %s with %i', async (method, path, status) => {
    const api = await start();
    const response = await api.call(method, path);
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(response.headers.get('strict-transport-security')).toBeNull();
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  it('are on what is not HTTP, too', async () => {
    const api = await start();
    const { headers } = await sendRaw(api.port, 'nonsense\r\n\r\n');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('have browsers use https only, where clients reach the API by it', async () => {
    const api = await start({ ACCESS_TOKEN_ISSUER: 'https://api.example.com' });
    const { headers } = await api.call('GET', '/health/live');
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}; includeSubDomains$/);
  });

  it('of pages let them show themselves, and run nothing but what they hold', async () => {
    const api = await start();
    for (const path of ['/problems', '/reset-password']) {
      const policy = (await api.call('GET', path)).headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    }
  });
});

describe('a page of another origin', () => {
  const preflight = {
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'authorization,content-type',
  };

  it('that is listed, may ask for everything and see what it needs', async () => {
    const api = await start({ CORS_ALLOWED_ORIGINS: `${PAGE},http://localhost:5173` });
    const { headers, status } = await api.call('OPTIONS', '/api/v1/users/1', {
      headers: { origin: PAGE, ...preflight },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(headers.get('access-control-allow-methods')).toContain('PATCH');
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'x-api-key']) {
      expect(headers.get('access-control-allow-headers')?.split(', ')).toContain(name);
    }
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const response = await api.call('GET', '/api/v1/users', { headers: { origin: PAGE } });
    expect(response.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(response.headers.get('access-control-expose-headers')).toContain('etag');
    expect(response.headers.get('vary')).toContain('origin');
    const problem = await api.call('GET', '/nothing', { headers: { origin: PAGE } });
    expect(problem.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(problem.headers.get('vary')).toContain('origin');
  });

  it('gets answers that say all that they depend on, the origin too, whatever else they depend on', async () => {
    const api = await start({ CORS_ALLOWED_ORIGINS: PAGE });
    const { id } = await createUser(api);
    const paths = permissions
      .filter(({ method }) => method === 'GET')
      .map(({ path }) => path.replace('{id}', String(id)).replace('{slug}', 'forbidden'))
      .map((path) => path.replace('{asset}', 'start.js'));
    for (const path of paths) {
      for (const headers of [{}, { origin: PAGE }, { origin: PAGE, 'accept-encoding': 'gzip' }]) {
        const response = await api.call('GET', path, { as: 'admin', headers });
        const vary = response.headers.get('vary')?.split(', ') ?? [];
        expect(vary, path).toContain('origin');
        expect(new Set(vary).size, path).toBe(vary.length);
        if (path.startsWith('/api/v1/users') && !path.endsWith('-keys') && !path.endsWith('port')) {
          expect(vary, path).toEqual(expect.arrayContaining(['authorization', 'x-api-key']));
        }
        if (response.headers.has('content-encoding') || path === '/api/v1/users') {
          expect(vary, path).toContain('accept-encoding');
        }
      }
    }
  });

  it.each([
    'https://www.example.com.evil.example',
    'https://evil.example',
    'http://www.example.com',
    'https://www.example.com:8443',
    'https://WWW.example.com',
    'null',
  ])('%s, which is not listed, gets no headers', async (origin) => {
    const api = await start({ CORS_ALLOWED_ORIGINS: PAGE });
    for (const [method, path] of [
      ['OPTIONS', '/api/v1/users/1'],
      ['GET', '/api/v1/users'],
    ] as const) {
      const { headers } = await api.call(method, path, { headers: { origin, ...preflight } });
      const names = [...headers.keys()].filter((name) => name.startsWith('access-control'));
      expect(names).toEqual([]);
    }
  });

  it('gets no headers where none is listed', async () => {
    const api = await start();
    const { headers } = await api.call('GET', '/health/live', { headers: { origin: PAGE } });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
