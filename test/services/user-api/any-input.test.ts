import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../../services/contracts/problem.ts';
import { userPage, userStatuses, visibleUser } from '../../../services/contracts/users.ts';
import { type Answer, createUser, startApiOnNewDatabase } from './support/api.ts';

let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
let knownId: number;

beforeAll(async () => {
  api = await startApiOnNewDatabase();
  knownId = (await createUser(api)).id;
});
afterAll(async () => {
  await api.stop();
});

const RUNS = 400;
/** Runs that wait for the service at the same time. */
const AT_ONCE = 8;

/** Checks many inputs, several at once: fast-check itself waits for each before it makes the next. */
async function check<Input>(
  input: fc.Arbitrary<Input>,
  holds: (input: Input) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(input, { minLength: AT_ONCE, maxLength: AT_ONCE }),
      async (inputs) => {
        await Promise.all(inputs.map(holds));
      },
    ),
    { numRuns: RUNS / AT_ONCE },
  );
}

/** An answer is a success with what was promised, or a problem of the client's making. */
function expectContract(answer: Answer, success: (answer: Answer) => void): void {
  expect(answer.status, answer.text).toBeLessThan(500);
  if (answer.status < 300) {
    success(answer);
    return;
  }
  if (answer.status === 304) return;
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(problem.parse(answer.body).status).toBe(answer.status);
}

const expectUser = ({ body, headers }: Answer) => {
  const { email, version } = visibleUser.parse(body);
  const representation = email === undefined ? '' : '-private';
  expect(headers.get('etag')).toBe(`"v${version}${representation}"`);
};

/** Text with everything that text can have: NUL, lone surrogates, controls, emoji, markup. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 10 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e',
    "'; drop table users; --",
    '<b>',
    'é'.repeat(101),
  ),
);
const anyEmail = fc.oneof(
  fc.emailAddress(),
  anyText,
  anyText.map((text) => `${text}@example.com`),
);
/** A body near enough to a user to get far, and far enough to break what is careless. */
const nearUser = fc
  .record(
    {
      name: fc.oneof(anyText, fc.jsonValue()),
      email: fc.oneof({ weight: 3, arbitrary: anyEmail }, { weight: 1, arbitrary: fc.jsonValue() }),
      status: fc.oneof(fc.constantFrom(...userStatuses), fc.jsonValue()),
      extra: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    fc.dictionary(anyText, fc.jsonValue(), { maxKeys: 1 }).map((more) => ({ ...more, ...fields })),
  );
const anyBody = fc.oneof(
  { weight: 4, arbitrary: nearUser.map((body) => JSON.stringify(body)) },
  { weight: 2, arbitrary: fc.jsonValue().map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{"a":1e400}', '{"name":1,"name":2}', '{"__proto__":{}}'),
  },
);
/** What a header may hold; a client's own library refuses the rest. */
const anyHeader = fc
  .string({ maxLength: 40 })
  .map((text) => text.replace(/[^\x21-\x7e ]/g, '').trim());
const anyTag = fc.oneof(
  anyHeader,
  fc.constantFrom('*', '"v1"', 'W/"v1"', '"v0"', '"v2147483648"', '"v1", "v2"', '"'),
);
const anyId = fc.oneof(
  fc.integer().map(String),
  fc.bigInt().map(String),
  fc.constantFrom(() => String(knownId)).map((id) => id()),
  anyText.map((text) => encodeURIComponent(text.toWellFormed())),
);

describe('whatever is sent', () => {
  it('to create a user, is answered with the user or with a problem', async () => {
    await check(anyBody, async (body) => {
      const answer = await api.call('POST', '/api/v1/users', { body });
      expectContract(answer, (created) => {
        expect(created.status).toBe(201);
        expectUser(created);
      });
    });
  });

  it('to create a user of valid fields, comes back as it was', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => /\p{L}/u.test(text) && !/[\p{Cc}\u2028\u2029]/u.test(text));
    const fields = fc.record({
      name,
      email: fc.uuid().map((id) => `${id}@example.com`),
      status: fc.constantFrom(...userStatuses),
    });
    await check(fields, async (body) => {
      const { body: created } = await api.call<{ id: number }>('POST', '/api/v1/users', {
        as: 'admin',
        body,
      });
      const { body: found } = await api.call('GET', `/api/v1/users/${created.id}`, { as: 'admin' });
      expect(found).toMatchObject({ ...body, name: body.name.trim() });
    });
  });

  it('to change a user, is answered with the user or with a problem', async () => {
    const change = fc.record({
      method: fc.constantFrom('PATCH', 'PUT'),
      id: anyId,
      body: anyBody,
      tag: anyTag,
    });
    await check(change, async ({ method, id, body, tag }) => {
      const headers = { 'if-match': tag };
      const answer = await api.call(method, `/api/v1/users/${id}`, { as: 'admin', body, headers });
      expectContract(answer, expectUser);
    });
  });

  it('to get a user, is answered with the user or with a problem', async () => {
    await check(fc.record({ id: anyId, tag: anyTag }), async ({ id, tag }) => {
      const headers = { 'if-none-match': tag };
      expectContract(await api.call('GET', `/api/v1/users/${id}`, { headers }), expectUser);
    });
  });

  it('to list users, is answered with a page or with a problem', async () => {
    const query = fc.oneof(
      fc.webQueryParameters(),
      fc
        .record(
          { limit: fc.oneof(fc.integer().map(String), anyText), cursor: anyText, status: anyText },
          { requiredKeys: [] },
        )
        .map((parameters) =>
          Object.entries(parameters)
            .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
            .join('&'),
        ),
      fc.base64String({ maxLength: 40 }).map((cursor) => `cursor=${encodeURIComponent(cursor)}`),
    );
    await check(query, async (text) => {
      expectContract(await api.call('GET', `/api/v1/users?${text}`), ({ body }) =>
        userPage.parse(body),
      );
    });
  });

  it('to any path by any method, is answered within the contract', async () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE', 'PURGE'),
      path: fc.webPath(),
    });
    await check(request, async ({ method, path }) => {
      const answer = await api.call(method, `/api${path}`);
      expect(answer.status, answer.text).toBeLessThan(500);
    });
  });
});
