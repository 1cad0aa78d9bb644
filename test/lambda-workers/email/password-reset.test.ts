import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { PasswordResetRequested } from '../../../services/contracts/events.ts';
import { hashPasswordResetToken } from '../../../services/contracts/password-reset-token.ts';
import { EMAIL_WORKER_ROLE } from '../../../services/user-api/database/roles.ts';
import { sqsEvent } from '../support/events.ts';
import { PASSWORD_RESET_URL, setUpWorker, type WorkerSetup } from './worker-setup.ts';

function resetRequestedEvent(passwordResetId: string): PasswordResetRequested {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: '/user-api',
    type: 'user.password-reset-requested',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { passwordResetId },
  };
}

describe('The email worker, for a new password', () => {
  let setup: WorkerSetup;

  beforeAll(async () => {
    setup = await setUpWorker();
  });
  afterAll(() => setup.close());

  /** A request as the API writes it; null for one without a user. */
  async function request(userId: number | null, age = '0 seconds'): Promise<string> {
    const id = randomUUID();
    await setup.sql`
      insert into password_resets (id, user_id, requested_at)
      values (${id}, ${userId}, now() - ${age}::text::interval)
    `;
    return id;
  }

  const secretIn = (text: string | undefined) =>
    /https:\/\/www\.headroom\.example\/reset-password#token=(hrp_[\w-]{43})\s/.exec(
      text ?? '',
    )?.[1] ?? '';

  /** Whether the API accepts this secret, and for how many minutes. */
  async function minutesOf(secret: string): Promise<number | null> {
    const [row] = await setup.sql`
      select extract(epoch from expires_at - now()) / 60 as minutes from password_resets
      where token_hash = ${hashPasswordResetToken(secret)}
    `;
    return row === undefined ? null : Number(row.minutes);
  }

  it('sends a link whose secret the database has as a hash, for half an hour', async () => {
    const id = await request(await setup.insertUser('Ada <b>Lovelace</b>', 'ada@example.com'));

    const response = await setup.createWorker()(sqsEvent(resetRequestedEvent(id)));
    const email = (await setup.emails()).at(-1);
    const secret = secretIn(email?.text);

    expect(response).toEqual({ batchItemFailures: [] });
    expect(email?.to).toEqual([{ name: '', address: 'ada@example.com' }]);
    expect(email?.html).toContain(`href="${PASSWORD_RESET_URL}#token=${secret}"`);
    expect(email?.html).not.toContain('Lovelace');
    expect(email?.text).toContain('for 30 minutes');
    expect(await minutesOf(secret)).toBeCloseTo(30, 0);
    expect(setup.logged('Password reset link sent')).toMatchObject({
      eventId: expect.any(String),
      emailId: expect.stringMatching(/\.eml$/),
    });
    expect(setup.log()).not.toMatch(/hrp_|Ada|ada@example/);
    expect(email?.text).toContain('your password stays as it is');
    expect(await setup.outcomes()).toEqual([
      { outcome: 'sent', messageId: expect.stringMatching(/^[\dTZ.-]+[\da-f-]+\.eml$/) },
    ]);
  });

  it('sends no second email for the same event, and one with a new secret when the outcome of the first is unknown', async () => {
    const id = await request(await setup.insertUser('Grace', 'grace@example.com'));
    const event = resetRequestedEvent(id);
    const worker = setup.createWorker();
    const secretsOfGrace = async () =>
      (await setup.emails())
        .filter(({ to }) => to?.[0]?.address === 'grace@example.com')
        .map(({ text }) => secretIn(text));

    await worker(sqsEvent(event));
    await worker(sqsEvent(event));
    const [first, ...more] = await secretsOfGrace();
    expect(more).toEqual([]);

    // As if the worker had died between the email and the record of it.
    await worker(sqsEvent(resetRequestedEvent(id)));
    const secrets = await secretsOfGrace();
    const [second] = secrets.filter((secret) => secret !== first);

    expect(secrets).toHaveLength(2);
    expect(await minutesOf(first ?? '')).toBeNull();
    expect(await minutesOf(second ?? '')).toBeCloseTo(30, 0);
  });

  it('sends nothing and succeeds for an unknown address, a deleted user, a used link, and an old request', async () => {
    const gone = await setup.insertUser('Gone', 'gone@example.com');
    const ofGone = await request(gone);
    await setup.sql`delete from users where id = ${gone}`;
    const user = await setup.insertUser('Here', 'here@example.com');
    const used = await request(user);
    await setup.sql`delete from password_resets where id = ${used}`;
    const late = await request(user, '25 hours');
    const before = (await setup.emails()).length;

    const response = await setup.createWorker()(
      sqsEvent(...[await request(null), ofGone, used, late].map(resetRequestedEvent)),
    );

    expect(response).toEqual({ batchItemFailures: [] });
    expect(await setup.emails()).toHaveLength(before);
    expect((await setup.outcomes()).slice(-4)).toEqual(Array(4).fill({ outcome: 'no recipient' }));
    expect(
      setup.logged('Password reset without a recipient, or expired: no link sent'),
    ).toHaveProperty('eventId');
  });

  it('needs no more privileges than its role has', async () => {
    const login = `email_worker_${randomUUID().slice(0, 8)}`;
    const administratorUrl = new URL(inject('system').postgres.primary.administratorUrl);
    administratorUrl.pathname = new URL(setup.databaseUrl).pathname;
    const administrator = postgres(administratorUrl.href, { max: 1, onnotice: () => {} });
    const url = new URL(setup.databaseUrl);
    url.username = login;
    url.password = 'secret';
    try {
      await administrator.unsafe(
        `create role ${login} login password 'secret' in role ${EMAIL_WORKER_ROLE}`,
      );
      const id = await request(await setup.insertUser('Role', 'role@example.com'));
      const before = (await setup.emails()).length;

      const worker = setup.createWorker({ databaseUrl: url.href });

      expect(await worker(sqsEvent(resetRequestedEvent(id)))).toEqual({ batchItemFailures: [] });
      expect(await setup.emails()).toHaveLength(before + 1);
      const spy = postgres(url.href, { max: 1, onnotice: () => {} });
      await expect(spy`select token_hash from password_resets`).rejects.toThrow(/denied/);
      await expect(spy`select password_hash from accounts`).rejects.toThrow(/denied/);
      await spy.end();
    } finally {
      await administrator.unsafe(`drop role if exists ${login}`);
      await administrator.end();
    }
  });
});
