import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenApiDocument } from '../../../../services/user-api/reference/open-api.ts';
import { operationDetails } from '../../../../services/user-api/reference/operation-details.ts';
import {
  authorization,
  type CallOptions,
  createUser,
  newUser,
  startApiOnNewDatabase,
} from '../support/api.ts';
import { Contract } from './support/contract.ts';

let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
let contract: Contract;

beforeAll(async () => {
  api = await startApiOnNewDatabase();
  contract = new Contract((await api.call<OpenApiDocument>('GET', '/openapi.json')).body);
});
afterAll(() => api.stop());

/** Sends a request to an operation and compares the response with the document. */
async function send<Body = unknown>(
  operationId: string,
  status: number,
  parameters: Readonly<Record<string, string | number>> = {},
  options: CallOptions & { readonly query?: string } = {},
) {
  const target = contract.operation(operationId);
  const path = target.path.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name]));
  const response = await api.call<Body>(target.method, `${path}${options.query ?? ''}`, options);
  expect(contract.faults(target, response), operationId).toEqual([]);
  expect(response.status, `${operationId}: ${response.text}`).toBe(status);
  return response;
}

describe('every documented operation', () => {
  it('has its row in the reference, and none that is not mounted', () => {
    const documented = contract.operations.map(({ method, path }) => `${method} ${path}`);
    expect(documented.sort()).toEqual(Object.keys(operationDetails).sort());
  });

  it('without credentials, responds as documented', async () => {
    for (const { operation, path } of contract.operations) {
      const parameters = { id: 1, apiKeyId: 1, slug: 'overloaded', asset: 'start.js' };
      const needs = !(operation.security ?? []).some((one) => Object.keys(one).length === 0);
      const target = contract.operation(operation.operationId ?? '');
      const filled = path.replace(/\{(\w+)\}/g, (_, name: keyof typeof parameters) =>
        String(parameters[name]),
      );
      const response = await api.call(target.method, filled);
      expect(contract.faults(target, response), operation.operationId).toEqual([]);
      expect(response.status === 401, `${operation.operationId}: ${response.status}`).toBe(needs);
    }
  });

  it('on the way of a user, responds as documented', async () => {
    const created = await send<{ id: number }>('createUser', 201, {}, { body: newUser() });
    const { id } = created.body;
    const as = id;
    const etag = created.headers.get('etag') ?? '';
    expect(created.headers.get('location')).toBe(`/api/v1/users/${id}`);
    await send('getUser', 200, { id });
    await send('getUser', 200, { id }, { as });
    const seen = await send('getUser', 200, { id }, { as });
    await send(
      'getUser',
      304,
      { id },
      { as, headers: { 'if-none-match': seen.headers.get('etag') ?? '' } },
    );
    await send('getUser', 404, { id: 'none' });
    await send('listUsers', 200, {}, { query: '?limit=1' });
    await send('listUsers', 422, {}, { query: '?limit=0' });
    await send(
      'updateUser',
      412,
      { id },
      { as, body: { name: 'B' }, headers: { 'if-match': '"v9"' } },
    );
    await send(
      'updateUser',
      200,
      { id },
      { as, body: { name: 'B' }, headers: { 'if-match': etag } },
    );
    await send(
      'updateUser',
      415,
      { id },
      { as, body: '<a/>', headers: { 'content-type': 'text/xml' } },
    );
    await send('updateUser', 400, { id }, { as, body: '{' });
    await send('updateUser', 413, { id }, { as, body: `"${'x'.repeat(100_000)}"` });
    await send('updateUser', 403, { id: id + 1 }, { as, body: {} });
    await send('replaceUser', 200, { id }, { as: 'admin', body: newUser({ status: 'active' }) });
    const taken = await createUser(api);
    await send('createUser', 409, {}, { body: newUser({ email: taken.email }) });
    await send('exportUser', 200, { id }, { as });
    await send('getCurrentUser', 200, {}, { as });
    await send('endSessions', 204, { id }, { as: 'admin' });
    await send('getCurrentUser', 401, {}, { as });
    await send('setRole', 200, { id }, { as: 'admin', body: { role: 'user' } });
    await send('deleteUser', 204, { id }, { as: 'admin' });
    await send('deleteUser', 404, { id }, { as: 'admin' });
  });

  it('of API keys, responds as documented', async () => {
    const { id } = await createUser(api);
    const body = { name: 'nightly', scopes: ['users:write'] };
    const { body: key } = await send<{ id: number; key: string }>(
      'createApiKey',
      201,
      { id },
      { as: id, body },
    );
    await send('getCurrentUser', 200, {}, { headers: { 'x-api-key': key.key } });
    await send('listApiKeys', 200, { id }, { as: id });
    await send('revokeApiKey', 204, { id, apiKeyId: key.id }, { as: id });
    await send('revokeApiKey', 404, { id, apiKeyId: 0 }, { as: id });
    await send('getCurrentUser', 401, {}, { headers: { 'x-api-key': key.key } });
  });

  it('of logging in, responds as documented', async () => {
    const user = newUser();
    const password = 'a long walk along the river';
    const {
      body: { id },
    } = await send<{ id: number }>('createUser', 201, {}, { body: { ...user, password } });
    await send('logIn', 401, {}, { body: { email: user.email, password: 'wrong' } });
    await send('logIn', 200, {}, { body: { email: user.email, password } });
    await send('refreshTokens', 503, {}, { body: { refreshToken: 'rt' } }).catch(() =>
      send('refreshTokens', 401, {}, { body: { refreshToken: 'rt' } }),
    );
    await send(
      'changePassword',
      403,
      {},
      {
        as: id,
        body: { currentPassword: 'wrong', newPassword: 'another long walk, uphill' },
      },
    );
    await send('requestPasswordReset', 202, {}, { body: { email: user.email } });
    await send(
      'resetPassword',
      400,
      {},
      { body: { token: 'none', newPassword: 'another long walk, uphill' } },
    );
    await send('getKeySet', 200);
    await send('getResetPage', 200);
  });

  it('of the reference and of health, responds as documented', async () => {
    for (const operationId of [
      'getHealth',
      'getLiveness',
      'getReadiness',
      'listProblemTypes',
      'getReferencePage',
    ]) {
      await send(operationId, 200);
    }
    await send('getProblemType', 200, { slug: 'overloaded' });
    await send('getProblemType', 404, { slug: 'none' });
    await send('getReferenceAsset', 404, { asset: 'package.json' });
    for (const asset of [
      'swagger-ui.css',
      'start.js',
      'swagger-ui-bundle.js',
      'favicon-32x32.png',
    ]) {
      const file = await send('getReferenceAsset', 200, { asset });
      const known = { 'if-none-match': file.headers.get('etag') ?? '' };
      await send('getReferenceAsset', 304, { asset }, { headers: known });
    }
    const document = await send('getOpenApiDocument', 200);
    expect(document.headers.get('cache-control')).toBe('public, max-age=300');
    const known = { 'if-none-match': document.headers.get('etag') ?? '' };
    await send('getOpenApiDocument', 304, {}, { headers: known });
  });

  it('when its limit is used up, responds as documented', async () => {
    const limited = await startApiOnNewDatabase({
      environment: { RATE_LIMITS: 'reads=1/60,logins=1/60' },
    });
    try {
      for (const [operationId, options] of [
        ['getUser', {}],
        ['logIn', { body: { email: 'a@example.com', password: 'b' } }],
      ] as const) {
        const target = contract.operation(operationId);
        const path = target.path.replace('{id}', '1');
        await limited.call(target.method, path, options);
        const refused = await limited.call(target.method, path, options);
        expect(refused.status).toBe(429);
        expect(contract.faults(target, refused)).toEqual([]);
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      }
    } finally {
      await limited.stop();
    }
  });
});

describe('what is not documented', () => {
  it.each([
    '/',
    '/api',
    '/api/v1',
    '/api/v2/users',
    '/api/v1/users/1/friends',
    '/docs/',
    '/metrics',
    '/graphql',
  ])('at %s, gets a problem', async (path) => {
    const response = await api.call('GET', path);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json',
    ]);
  });

  it('of the methods, is refused at every path, and OPTIONS tells the others', async () => {
    const authorizationHeader = { authorization: await authorization('admin') };
    const paths = new Set(contract.operations.map(({ path }) => path));
    for (const path of paths) {
      const documented = contract.operations
        .filter((one) => one.path === path)
        .map(({ method }) => method);
      const all = [...documented, ...(documented.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
      const real = path.replace(/\{\w+\}/g, '1');
      const options = await api.call('OPTIONS', real);
      expect(options.status).toBe(204);
      expect(options.headers.get('allow')?.split(', ').sort()).toEqual(all.sort());
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'PROPFIND']) {
        if (documented.includes(method)) continue;
        const response = await api.call(method, real, { headers: authorizationHeader });
        expect([method, response.status]).toEqual([method, 405]);
        expect(response.headers.get('content-type')).toBe('application/problem+json');
      }
    }
  });

  it('when it is an alias, responds as the documented path, and is named in the introduction', async () => {
    const { body } = await api.call<OpenApiDocument>('GET', '/openapi.json');
    const target = contract.operation('listUsers');
    for (const alias of ['/api/v1/user', '/api/users', '/api/user']) {
      const response = await api.call('GET', alias);
      expect(response.status).toBe(200);
      expect(contract.faults(target, response)).toEqual([]);
      expect(body.info.description).toContain(`\`${alias}\``);
    }
  });
});

describe('the comparison with the document', () => {
  it('of a response that is not documented, finds each fault', () => {
    const target = contract.operation('getLiveness');
    const json = { 'content-type': 'application/json' };
    const faults = (status: number, headers: Record<string, string>, text: string) =>
      contract.faults(target, { status, headers: new Headers(headers), text });
    expect(faults(200, json, '{"status":"alive"}')).toEqual([]);
    expect(faults(200, json, '{"status":"dead"}')).toHaveLength(1);
    expect(faults(200, json, '{"status":"alive","more":1}')).toHaveLength(1);
    expect(faults(200, { ...json, 'x-powered-by': 'x' }, '{"status":"alive"}')).toHaveLength(1);
    expect(faults(200, { 'content-type': 'text/plain' }, 'alive')).toHaveLength(1);
    expect(faults(418, json, '{}')).toHaveLength(1);
  });
});
