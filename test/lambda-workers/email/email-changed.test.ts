import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmailChanged } from '../../../services/contracts/events.ts';
import { sqsEvent } from '../support/events.ts';
import { setUpWorker, type WorkerSetup } from './worker-setup.ts';

function emailChangedEvent(emailChangeId: string): EmailChanged {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: '/user-api',
    type: 'user.email-changed',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { emailChangeId },
  };
}

describe('The email worker, for a new email address', () => {
  let setup: WorkerSetup;

  beforeAll(async () => {
    setup = await setUpWorker();
  });
  afterAll(() => setup.close());

  async function change(userId: number, formerEmail: string): Promise<string> {
    const id = randomUUID();
    await setup.sql`
      insert into email_changes (id, user_id, former_email) values (${id}, ${userId}, ${formerEmail})`;
    return id;
  }

  it('notifies the former address, once for an event, and names neither', async () => {
    const user = await setup.insertUser('Ada <b>Lovelace</b>', 'new@example.com');
    const event = emailChangedEvent(await change(user, 'former@example.com'));
    const worker = setup.createWorker();

    const responses = [await worker(sqsEvent(event)), await worker(sqsEvent(event))];

    const [email, ...more] = await setup.emails();
    expect(responses).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(more).toEqual([]);
    expect(email?.to).toEqual([{ name: '', address: 'former@example.com' }]);
    expect(email?.subject).toBe('Your email address was changed');
    expect(email?.html).not.toContain('Lovelace');
    for (const text of [email?.text, email?.html]) {
      expect(text).toContain('Emails about it no longer come here');
      expect(text).toContain('If you did not change it');
      expect(text).not.toContain('@example.com');
    }
    expect(await setup.outcomes()).toEqual([
      { outcome: 'sent', messageId: expect.stringMatching(/\.eml$/) },
    ]);
    expect(setup.logged('Former email address notified')).toMatchObject({
      eventId: event.id,
      emailId: expect.stringMatching(/\.eml$/),
    });
    expect(setup.log()).not.toMatch(/Ada|@example/);
  });

  it('sends nothing and succeeds for a deleted user and for an expired change', async () => {
    const gone = await setup.insertUser('Gone', 'gone@example.com');
    const ofGone = await change(gone, 'before@example.com');
    await setup.sql`delete from users where id = ${gone}`;
    const before = (await setup.emails()).length;

    const response = await setup.createWorker()(
      sqsEvent(...[ofGone, randomUUID()].map(emailChangedEvent)),
    );

    expect(response).toEqual({ batchItemFailures: [] });
    expect(await setup.emails()).toHaveLength(before);
    expect((await setup.outcomes()).slice(-2)).toEqual(Array(2).fill({ outcome: 'no recipient' }));
    expect(setup.logged('Email change no longer exists: no notice sent')).toHaveProperty('eventId');
  });
});
