import type { Context } from 'hono';
import { describe, expect, it } from 'vitest';
import { withPreconditions } from '../../../../services/user-api/app/app.ts';
import type { ProtectedOperation } from '../../../../services/user-api/auth/authorization.ts';
import { ANONYMOUS } from '../../../../services/user-api/auth/identity.ts';
import type { ApiEnvironment } from '../../../../services/user-api/http/environment.ts';

function operation(
  method: 'get' | 'post',
  handler: ProtectedOperation['handler'],
  statuses: readonly string[] = ['200'],
): ProtectedOperation {
  const responses = Object.fromEntries(statuses.map((status) => [status, { description: '' }]));
  return { handler, route: { method, path: '/', responses, getRoutingPath: () => '/' } };
}

/** Calls it with these headers. */
function call(made: ProtectedOperation, headers: Readonly<Record<string, string>>) {
  // Nothing else of the request is looked at.
  const context = { env: { incoming: { headers } } } as unknown as Context<ApiEnvironment>;
  return made.handler(context, ANONYMOUS);
}

const withTag = (status: number) => new Response(null, { status, headers: { etag: '"v1"' } });

describe('a read', () => {
  const read = (response: Response) => withPreconditions(operation('get', () => response));

  it('without If-Match, is as it was', () => {
    const response = withTag(200);
    expect(call(read(response), {})).toBe(response);
  });

  it.each([
    ['"v1"', 200],
    ['"v0", "v1"', 200],
    [' * ', 200],
    ['"v1"', 304],
    // There is nothing to compare with.
    ['"v2"', 404],
    ['"v2"', 503],
  ])('with If-Match: %s passes a response of %i on, at once or later', async (wanted, status) => {
    const response = withTag(status);
    const headers = { 'if-match': wanted };
    expect(call(read(response), headers)).toBe(response);
    const later = withPreconditions(operation('get', async () => response));
    expect(await call(later, headers)).toBe(response);
  });

  it.each([200, 304])(
    'with an If-Match that is not met, refuses in place of %i',
    async (status) => {
      const refusal = {
        slug: 'precondition-failed',
        message: 'If-Match does not name what is here, which has the ETag "v1".',
        headers: { etag: '"v1"' },
      };
      const headers = { 'if-match': 'W/"v1", "v2"' };
      const now = (async () => await call(read(withTag(status)), headers))();
      await expect(now).rejects.toMatchObject(refusal);
      const later = withPreconditions(operation('get', async () => withTag(status)));
      await expect(call(later, headers)).rejects.toMatchObject(refusal);
    },
  );

  it('of what has no ETag, meets only If-Match: *', async () => {
    const response = new Response(null);
    expect(call(read(response), { 'if-match': '*' })).toBe(response);
    const later = withPreconditions(operation('get', async () => response));
    await expect(call(later, { 'if-match': '"v1"' })).rejects.toMatchObject({
      message: 'If-Match does not name what is here, which has no ETag.',
    });
    await expect(call(later, { 'if-match': '"v1"' })).rejects.not.toHaveProperty('headers.etag');
  });
});

describe('a change', () => {
  it('that says nothing of 412, refuses every precondition and does nothing', async () => {
    let calls = 0;
    const change = withPreconditions(
      operation('post', () => {
        calls += 1;
        return new Response(null, { status: 201 });
      }),
    );
    for (const name of ['if-match', 'if-none-match', 'if-unmodified-since']) {
      expect(() => call(change, { [name]: '*' })).toThrow(
        expect.objectContaining({
          slug: 'precondition-failed',
          message: 'This operation has no preconditions: leave out If-Match and the like.',
        }),
      );
    }
    expect(calls).toBe(0);
    expect((await call(change, { 'if-modified-since': 'x' })).status).toBe(201);
  });

  it('that responds with 412, compares by itself', () => {
    const change = operation('post', () => withTag(200), ['200', '412']);
    expect(withPreconditions(change)).toBe(change);
  });
});
