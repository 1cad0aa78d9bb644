import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type User, user } from '../../../services/contracts/users.ts';
import {
  createUser,
  newUser,
  type ProblemDetails,
  publicOf,
  startApiOnNewDatabase,
} from './support/api.ts';

/** Over HTTP, with writes on the primary and reads from the replica, without Redis. */
describe('/api/v1/users', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;

  beforeAll(async () => {
    api = await startApiOnNewDatabase();
  });
  afterAll(async () => {
    await api.stop();
  });

  describe('POST', () => {
    it('with valid fields, creates the user and says where it is', async () => {
      const fields = newUser({ name: '  Grace Hopper ' });
      const created = await api.call<User>('POST', '/api/v1/users', { body: fields });

      expect(created.status).toBe(201);
      expect(created.headers.get('location')).toBe(`/api/v1/users/${created.body.id}`);
      expect(created.headers.get('etag')).toBe('"v1-private"');
      expect(created.headers.get('content-type')).toBe('application/json');
      expect(user.parse(created.body)).toEqual({
        id: expect.any(Number),
        name: 'Grace Hopper',
        email: fields.email,
        status: 'active',
        createdAt: created.body.updatedAt,
        updatedAt: created.body.createdAt,
        version: 1,
      });
      const found = await api.call('GET', created.headers.get('location') ?? '');
      expect(found.body).toEqual(publicOf(created.body));
    });

    it('with an email that differs in case only, is refused naming the field', async () => {
      const { email } = await createUser(api);
      const { status, body } = await api.call<ProblemDetails>('POST', '/api/v1/users', {
        body: newUser({ email: email.toUpperCase() }),
      });
      expect(status).toBe(409);
      expect(body.type).toBe('/problems/email-taken');
      expect(body.errors).toEqual([{ pointer: '/email', detail: 'is taken by another user' }]);
    });

    it('with the same email many times at once, creates exactly one user', async () => {
      const body = newUser();
      const responses = await Promise.all(
        Array.from({ length: 8 }, () => api.call('POST', '/api/v1/users', { body })),
      );
      expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
    });

    it('with a status, keeps it', async () => {
      expect((await createUser(api, { status: 'suspended' })).status).toBe('suspended');
    });

    it('with names at the limits, counts characters and not code units', async () => {
      const longest = '🦊'.repeat(100);
      expect((await createUser(api, { name: longest })).name).toBe(longest);
      const { status } = await api.call('POST', '/api/v1/users', {
        body: newUser({ name: `${longest}x` }),
      });
      expect(status).toBe(422);
    });
  });

  describe('GET by id', () => {
    it.each(['/api/v1/users', '/api/v1/user', '/api/users', '/api/user'])(
      'at %s, gives the user',
      async (path) => {
        const created = await createUser(api);
        const found = await api.call('GET', `${path}/${created.id}`);
        expect(found.status).toBe(200);
        expect(found.body).toEqual(publicOf(created));
        expect(found.headers.get('etag')).toBe('"v1"');
      },
    );

    it('right after each of many creations, gives the user although replication takes time', async () => {
      for (let round = 0; round < 20; round += 1) {
        const created = await createUser(api);
        expect((await api.call('GET', `/api/v1/users/${created.id}`)).body).toEqual(
          publicOf(created),
        );
      }
    });

    it.each([
      ['the same', '"v1"', 304],
      ['the same, weak', 'W/"v1"', 304],
      ['one of several', '"other", "v1"', 304],
      ['any', '*', 304],
      ['another', '"v2"', 200],
      ['not a tag', 'v1', 200],
    ])('with If-None-Match naming %s version, responds accordingly', async (_, tag, status) => {
      const { id } = await createUser(api);
      const response = await api.call('GET', `/api/v1/users/${id}`, {
        headers: { 'if-none-match': tag },
      });
      expect(response.status).toBe(status);
      expect(response.headers.get('etag')).toBe('"v1"');
      expect(response.text === '').toBe(status === 304);
    });

    it.each([
      '0',
      '-1',
      '1.0',
      '01',
      '1e3',
      'abc',
      '%00',
      '%zz',
      '9007199254740992',
      '99999999999999999999',
      '2147483648',
      '%F0%9F%A6%8A',
    ])('of %s, which no user has, responds with 404', async (id) => {
      const { status, body } = await api.call<ProblemDetails>('GET', `/api/v1/users/${id}`);
      expect(status).toBe(404);
      expect(body.type).toBe('/problems/user-not-found');
    });
  });

  describe('HEAD by id', () => {
    it('gives the headers of GET and no body', async () => {
      const { id } = await createUser(api);
      const response = await api.call('HEAD', `/api/v1/users/${id}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('etag')).toBe('"v1"');
      expect(response.text).toBe('');
    });
  });

  describe('PATCH', () => {
    it.each(['application/json', 'application/merge-patch+json'])(
      'as %s, changes what is given and raises the version',
      async (mediaType) => {
        const created = await createUser(api);
        const changed = await api.call<User>('PATCH', `/api/v1/users/${created.id}`, {
          as: 'admin',
          headers: { 'content-type': mediaType },
          body: { name: 'Grace Hopper' },
        });
        expect(changed.status).toBe(200);
        expect(changed.headers.get('etag')).toBe('"v2-private"');
        expect(changed.body).toEqual({
          ...created,
          name: 'Grace Hopper',
          version: 2,
          updatedAt: changed.body.updatedAt,
        });
        expect(Date.parse(changed.body.updatedAt)).toBeGreaterThanOrEqual(
          Date.parse(created.updatedAt),
        );
        expect((await api.call('GET', `/api/v1/users/${created.id}`)).body).toEqual(
          publicOf(changed.body),
        );
      },
    );

    it('with nothing to change, leaves the version', async () => {
      const created = await createUser(api);
      const response = await api.call('PATCH', `/api/v1/users/${created.id}`, {
        as: 'admin',
        body: {},
      });
      expect(response.status).toBe(200);
      expect(response.body).toEqual(created);
    });

    it('with null for a field, is refused: a user cannot be without it', async () => {
      const { id } = await createUser(api);
      const { status, body } = await api.call<ProblemDetails>('PATCH', `/api/v1/users/${id}`, {
        as: 'admin',
        body: { status: null },
      });
      expect(status).toBe(422);
      expect(body.errors?.map(({ pointer }) => pointer)).toEqual(['/status']);
    });

    it("with another user's email, is refused", async () => {
      const [first, second] = [await createUser(api), await createUser(api)];
      const { status } = await api.call('PATCH', `/api/v1/users/${second.id}`, {
        as: 'admin',
        body: { email: first.email },
      });
      expect(status).toBe(409);
    });

    it('many times at once, loses no update', async () => {
      const { id } = await createUser(api);
      await Promise.all(
        Array.from({ length: 10 }, () =>
          api.call('PATCH', `/api/v1/users/${id}`, { as: 'admin', body: { status: 'inactive' } }),
        ),
      );
      expect((await api.call<User>('GET', `/api/v1/users/${id}`)).body.version).toBe(11);
    });
  });

  describe('PUT', () => {
    it('with all fields, replaces them', async () => {
      const created = await createUser(api);
      const fields = { ...newUser({ name: 'New Name' }), status: 'inactive' };
      const replaced = await api.call<User>('PUT', `/api/v1/users/${created.id}`, {
        as: 'admin',
        body: fields,
      });
      expect(replaced.status).toBe(200);
      expect(replaced.body).toMatchObject({ ...fields, id: created.id, version: 2 });
    });

    it('without a field, is refused naming it', async () => {
      const { id } = await createUser(api);
      const { status, body } = await api.call<ProblemDetails>('PUT', `/api/v1/users/${id}`, {
        as: 'admin',
        body: newUser(),
      });
      expect(status).toBe(422);
      expect(body.errors?.map(({ pointer }) => pointer)).toEqual(['/status']);
    });
  });

  describe('DELETE', () => {
    it('deletes the user, for good', async () => {
      const { id } = await createUser(api);
      const deleted = await api.call('DELETE', `/api/v1/users/${id}`, { as: 'admin' });
      expect([deleted.status, deleted.text]).toEqual([204, '']);
      for (const method of ['GET', 'DELETE']) {
        expect((await api.call(method, `/api/v1/users/${id}`, { as: 'admin' })).status).toBe(404);
      }
      const patched = await api.call('PATCH', `/api/v1/users/${id}`, {
        as: 'admin',
        body: { name: 'X' },
      });
      expect(patched.status).toBe(404);
    });
  });

  describe('If-Match', () => {
    const changes: readonly [string, unknown, number][] = [
      ['PATCH', { name: 'X' }, 200],
      ['PATCH', {}, 200],
      ['PUT', { ...newUser(), status: 'active' }, 200],
      ['DELETE', undefined, 204],
    ];

    it.each(changes)(
      'on %s %j with the current version, lets it pass',
      async (method, body, ok) => {
        const { id } = await createUser(api);
        const response = await api.call(method, `/api/v1/users/${id}`, {
          as: 'admin',
          headers: { 'if-match': '"v7", "v1"' },
          body,
        });
        expect(response.status).toBe(ok);
      },
    );

    it.each(changes)(
      'on %s %j with another, refuses and gives the current one',
      async (method, body) => {
        const { id } = await createUser(api);
        for (const tag of ['"v2"', 'W/"v1"', 'nonsense', '"v99999999999"']) {
          const response = await api.call<ProblemDetails>(method, `/api/v1/users/${id}`, {
            as: 'admin',
            headers: { 'if-match': tag },
            body,
          });
          expect(response.status).toBe(412);
          expect(response.headers.get('etag')).toBe('"v1"');
          expect(response.body.currentVersion).toBe(1);
        }
        expect((await api.call<User>('GET', `/api/v1/users/${id}`)).body.version).toBe(1);
      },
    );

    it.each(changes)('on %s %j of no user, responds with 404', async (method, body) => {
      const response = await api.call(method, '/api/v1/users/123456789', {
        as: 'admin',
        headers: { 'if-match': '"v1"' },
        body,
      });
      expect(response.status).toBe(404);
    });
  });
});
