import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenApiDocument } from '../../../../services/user-api/reference/open-api.ts';
import { operationDetails } from '../../../../services/user-api/reference/operation-details.ts';
import { authorization, createUser, startApiOnNewDatabase } from '../support/api.ts';
import { Contract } from './support/contract.ts';
import { type InputOptions, requestsTo } from './support/inputs.ts';

/** Requests in all, over every operation. */
const CASES_MINIMUM = 10_000;
/** Requests that wait for the service at the same time: fast-check itself waits for each before it makes the next. */
const AT_ONCE = 16;
const operationIds = Object.values(operationDetails).map(({ operationId }) => operationId);
const CASES = Math.ceil(CASES_MINIMUM / operationIds.length / AT_ONCE) * AT_ONCE;
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

describe('whatever is sent', () => {
  it.each(operationIds)(
    'to %s, is answered as the document says, and never with 5xx',
    async (operationId) => {
      const target = contract.operation(operationId);
      const requests = fc.array(requestsTo(document, target, await newcomer()), {
        minLength: AT_ONCE,
        maxLength: AT_ONCE,
      });
      const check = async (
        request: typeof requests extends fc.Arbitrary<(infer One)[]> ? One : never,
      ) => {
        sent += 1;
        const { body, headers, method, path } = request;
        const answer = await api.call(method, path, { headers, body });
        const { requestId } = JSON.parse(answer.status < 500 ? '{}' : answer.text);
        const logged = api.log.filter(
          (line) => requestId !== undefined && line.requestId === requestId,
        );
        expect(answer.status, JSON.stringify(logged)).toBeLessThan(500);
        expect(contract.faults(target, answer), `${method} ${path}`).toEqual([]);
      };
      await fc.assert(
        fc.asyncProperty(requests, async (several) => {
          await Promise.all(several.map(check));
        }),
        {
          numRuns: CASES / AT_ONCE,
          interruptAfterTimeLimit: TIMEOUT_MILLISECONDS,
          markInterruptAsFailure: true,
        },
      );
    },
    TIMEOUT_MILLISECONDS,
  );

  it('was sent in all the cases that are promised', () => {
    expect(sent).toBeGreaterThanOrEqual(CASES_MINIMUM);
  });
});
