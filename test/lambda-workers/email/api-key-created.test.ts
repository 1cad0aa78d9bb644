import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiKeyCreated } from '../../../services/contracts/events.ts';
import { sqsEvent } from '../support/events.ts';
import { setUpWorker, type WorkerSetup } from './worker-setup.ts';

function apiKeyCreatedEvent(apiKeyId: number): ApiKeyCreated {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: '/user-api',
    type: 'user.api-key-created',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { apiKeyId },
  };
}

describe('The email worker, for a new API key', () => {
  let setup: WorkerSetup;

  beforeAll(async () => {
    setup = await setUpWorker();
  });
  afterAll(() => setup.close());

  async function createKey(userId: number, scopes: string): Promise<number> {
    const [row] = await setup.sql`
      insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at)
      values (${userId}, 'win at https://evil.example', 'hrk_Abcd1234', ${randomUUID()},
        ${scopes}, '2027-03-01T23:59:59Z')
      returning id`;
    return Number(row?.id);
  }

  it('notifies its owner once, with the prefix of the key and without its name', async () => {
    const user = await setup.insertUser('Ada Lovelace', 'ada@example.com');
    const event = apiKeyCreatedEvent(await createKey(user, '{users:write,users:delete}'));
    const worker = setup.createWorker();

    const responses = [await worker(sqsEvent(event)), await worker(sqsEvent(event))];

    const [email, ...more] = await setup.emails();
    expect(responses).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(more).toEqual([]);
    expect(email?.to?.map(({ address }) => address)).toEqual(['ada@example.com']);
    expect(email?.subject).toBe('A new API key for your account');
    for (const text of [email?.text, email?.html]) {
      expect(text).toContain(
        'begins with hrk_Abcd1234, has the scopes users:write, users:delete, and is valid until 2027-03-01',
      );
      expect(text).toContain('If you did not create it');
      expect(text).not.toMatch(/win at|evil/);
    }
    expect(setup.log()).toContain('Owner of a new API key notified');
    expect(setup.log()).not.toMatch(/Ada|@example|hrk_/);
  });

  it('states that the key has no scopes', async () => {
    const user = await setup.insertUser('Grace', 'grace@example.com');

    await setup.createWorker()(sqsEvent(apiKeyCreatedEvent(await createKey(user, '{}'))));

    const emails = await setup.emails();
    const email = emails.find(({ to }) => to?.[0]?.address === 'grace@example.com');
    expect(email?.text).toContain('has no scopes, and');
  });

  it('sends nothing and succeeds when the owner or the key no longer exists', async () => {
    const gone = await setup.insertUser('Gone', 'gone@example.com');
    const ofGone = await createKey(gone, '{}');
    await setup.sql`delete from users where id = ${gone}`;
    const before = (await setup.emails()).length;

    const response = await setup.createWorker()(
      sqsEvent(...[ofGone, 999_999_999].map(apiKeyCreatedEvent)),
    );

    expect(response).toEqual({ batchItemFailures: [] });
    expect(await setup.emails()).toHaveLength(before);
    expect((await setup.outcomes()).slice(-2)).toEqual(Array(2).fill({ outcome: 'no recipient' }));
    expect(setup.log()).toContain('API key or its owner no longer exists');
  });
});
