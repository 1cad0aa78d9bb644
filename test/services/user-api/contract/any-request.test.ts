import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../../../services/contracts/problem.ts';
import { type User, userStatuses } from '../../../../services/contracts/users.ts';
import type { OpenApiDocument } from '../../../../services/user-api/reference/open-api.ts';
import { operationDetails } from '../../../../services/user-api/reference/operation-details.ts';
import {
  authorization,
  createUser,
  type ReceivedResponse,
  startApiOnNewDatabase,
} from '../support/api.ts';
import { Contract, type DocumentedOperation } from './support/contract.ts';
import { type AnyRequest, anyRequest, type InputOptions, requestsTo } from './support/inputs.ts';

/** Requests in all. */
const CASES_MINIMUM = 4_000;
/** Requests that wait for the service at the same time: fast-check itself waits for each before it makes the next. */
const AT_ONCE = 16;
const operationIds = Object.values(operationDetails).map(({ operationId }) => operationId);
/** Requests to one operation, by what it reads: there is little to get wrong about a path that takes nothing. */
const CASES = { nothing: 48, parameters: 160, body: 256 } as const;
/** Requests to paths and with methods of all kinds, and creations whose answers are compared with what was sent. */
const ANYWHERE_CASES = 480;
const ROUND_TRIP_CASES = 112;
const TIMEOUT_MILLISECONDS = 120_000;

let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
let document: OpenApiDocument;
let contract: Contract;
let sent = 0;

beforeAll(async () => {
  api = await startApiOnNewDatabase({
    // A hash of half a millisecond: what is tested is not how long it takes.
    options: {
      authentication: { passwords: { cost: { memoryKibibytes: 64, passes: 1, parallelism: 1 } } },
    },
  });
  document = (await api.call<OpenApiDocument>('GET', '/openapi.json')).body;
  contract = new Contract(document);
});
afterAll(() => api.stop());

/** Credentials of all kinds, of a user that no operation before has changed, ended or erased. */
async function newcomer(): Promise<InputOptions> {
  const owner = await createUser(api);
  const other = await createUser(api);
  const { body } = await api.call<{ id: number; key: string }>(
    'POST',
    `/api/v1/users/${owner.id}/api-keys`,
    { as: owner.id, body: { name: 'of a test', scopes: ['users:write', 'users:read-private'] } },
  );
  return {
    known: {
      id: [String(owner.id), String(other.id), '0', '1e3', '01', String(Number.MAX_SAFE_INTEGER)],
      apiKeyId: [String(body.id), '0', '9007199254740993'],
      slug: ['user-not-found', 'toString'],
      asset: ['swagger-ui.css', 'start.js', '..%2fpackage.json'],
    },
    credentials: [
      {},
      { authorization: await authorization('admin') },
      { authorization: await authorization(owner.id) },
      { 'x-api-key': body.key },
      { authorization: 'Bearer nonsense' },
      { 'x-api-key': 'hrk_nonsense' },
    ],
  };
}

/** Checks many inputs, several at once. */
async function check<Input>(
  input: fc.Arbitrary<Input>,
  cases: number,
  holds: (input: Input) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(input, { minLength: AT_ONCE, maxLength: AT_ONCE }),
      async (inputs) => {
        await Promise.all(inputs.map(holds));
      },
    ),
    {
      numRuns: cases / AT_ONCE,
      interruptAfterTimeLimit: TIMEOUT_MILLISECONDS,
      markInterruptAsFailure: true,
    },
  );
}

async function send({ body, headers, method, path }: AnyRequest): Promise<ReceivedResponse> {
  sent += 1;
  const response = await api.call(method, path, { headers, body });
  if (response.status >= 500) {
    const { requestId } = JSON.parse(response.text);
    const logged = api.log.filter((line) => line.requestId === requestId);
    expect.fail(`${method} ${path} got ${response.text}: ${JSON.stringify(logged)}`);
  }
  return response;
}

function casesFor({ operation }: DocumentedOperation): number {
  if (operation.requestBody !== undefined) return CASES.body;
  return (operation.parameters ?? []).length > 0 ? CASES.parameters : CASES.nothing;
}

describe('whatever is sent', () => {
  it.each(operationIds)(
    'to %s, gets a response as the document says, and never with 5xx',
    async (operationId) => {
      const target = contract.operation(operationId);
      const requests = requestsTo(document, target, await newcomer());
      await check(requests, casesFor(target), async (request) => {
        const response = await send(request);
        expect(contract.faults(target, response), `${request.method} ${request.path}`).toEqual([]);
      });
    },
    TIMEOUT_MILLISECONDS,
  );

  it(
    'to any path by any method, is answered by what is documented there, or with a problem',
    async () => {
      const known = Object.keys(document.paths ?? {}).map((path) => path.replace(/\{\w+\}/g, '1'));
      await check(anyRequest(known), ANYWHERE_CASES, async (request) => {
        const response = await send(request);
        if (response.status < 400 || request.method === 'HEAD') return;
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        expect(problem.parse(response.body).status).toBe(response.status);
      });
    },
    TIMEOUT_MILLISECONDS,
  );

  it(
    'to create a user of valid fields, comes back as it was',
    async () => {
      const name = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
        .filter(
          (text) =>
            /(?!\p{Default_Ignorable_Code_Point})\p{L}/u.test(text) &&
            !/[\p{Cc}\u2028\u2029]/u.test(text),
        );
      const fields = fc.record({
        name,
        email: fc.uuid().map((id) => `${id}@example.com`),
        status: fc.constantFrom(...userStatuses),
      });
      const headers = {
        authorization: await authorization('admin'),
        'content-type': 'application/json',
      };
      await check(fields, ROUND_TRIP_CASES, async (body) => {
        const request = { method: 'POST', path: '/api/v1/users', headers };
        const created = await send({ ...request, body: JSON.stringify(body) });
        const { id } = created.body as User;
        const found = await send({
          method: 'GET',
          path: `/api/v1/users/${id}`,
          headers,
          body: undefined,
        });
        expect(found.body).toMatchObject({ ...body, name: body.name.trim().normalize() });
        expect(found.headers.get('etag')).toBe('"v1-private"');
      });
    },
    TIMEOUT_MILLISECONDS,
  );

  it('was sent in all the cases that are promised', () => {
    expect(sent).toBeGreaterThanOrEqual(CASES_MINIMUM);
  });
});
