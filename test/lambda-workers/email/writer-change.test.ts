import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../../services/user-api/database/migrate.ts';
import { startTcpProxy, type TcpProxy } from '../../services/user-api/support/tcp-proxy.ts';
import { type OwnPostgres, startOwnPostgres } from '../../support/own-postgres.ts';
import { setUpWorker, sqsEvent, userCreatedEvent, type WorkerSetup } from './worker-setup.ts';

/** Longer than the suite: nothing that it writes reaches the replica. */
const LAG_MILLISECONDS = 3_600_000;

let servers: OwnPostgres;
let setup: WorkerSetup;
/** Where the worker connects to: the name of the writer. */
let name: TcpProxy;

beforeAll(async () => {
  servers = await startOwnPostgres();
  await migrate(servers.primary.url);
  await servers.delayReplica(LAG_MILLISECONDS);
  name = await startTcpProxy(servers.replica.url);
  setup = await setUpWorker({ writerUrl: servers.primary.url, drop: async () => {} });
});

afterAll(async () => {
  await setup?.close();
  await name?.close();
  await servers?.stop();
});

/**
 * Handles one event over a connection to a server that was the writer: it still answers, does not have what was written since, and refuses to
 * write. New connections reach the writer of now.
 */
async function handleOverOldConnection(event: { readonly type: string; readonly id: string }) {
  name.retarget(servers.replica.url);
  await expect.poll(() => name.connections()).toBe(0);
  const worker = setup.createWorker({ databaseUrl: name.through(servers.primary.url) });
  const handled = worker(sqsEvent(event));
  await expect.poll(() => name.connections()).toBeGreaterThan(0);
  name.retargetNew(servers.primary.url);
  return await handled;
}

async function receivers(): Promise<(string | undefined)[]> {
  return (await setup.emails()).map(({ to }) => to?.[0]?.address);
}

describe('The email worker, over a connection that outlived a change of the writer', () => {
  it('sends the welcome of a user whom the former writer does not know', async () => {
    const userId = await setup.insertUser('New', 'new@example.com');

    const response = await handleOverOldConnection(userCreatedEvent(userId));

    expect(response).toEqual({ batchItemFailures: [] });
    expect(await receivers()).toContain('new@example.com');
  });

  it('sends the notices of an email change, an API key and a password reset', async () => {
    const userId = await setup.insertUser('Notices', 'notices@example.com');
    const [change] = await setup.sql`
      insert into email_changes (id, user_id, former_email)
      values (gen_random_uuid(), ${userId}, 'former@example.com') returning id`;
    const [reset] = await setup.sql`
      insert into password_resets (id, user_id) values (gen_random_uuid(), ${userId}) returning id`;
    const event = (type: string, data: object) => ({ ...userCreatedEvent(userId), type, data });

    await handleOverOldConnection(event('user.email-changed', { emailChangeId: change?.id }));
    await handleOverOldConnection(
      event('user.password-reset-requested', { passwordResetId: reset?.id }),
    );

    expect(await receivers()).toEqual(
      expect.arrayContaining(['former@example.com', 'notices@example.com']),
    );
  });

  it('drops a message of a user who is gone, once the writer of now says so', async () => {
    const userId = await setup.insertUser('Gone', 'gone@example.com');
    await setup.sql`delete from users where id = ${userId}`;

    const response = await handleOverOldConnection(userCreatedEvent(userId));

    expect(response).toEqual({ batchItemFailures: [] });
    expect(await receivers()).not.toContain('gone@example.com');
    expect(setup.log()).toContain('User does not exist any more');
  });
});
