import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../../services/user-api/database/migrate.ts';
import { startTcpProxy, type TcpProxy } from '../../services/user-api/support/tcp-proxy.ts';
import { waitForReplica } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type OwnPostgres, startOwnPostgres } from '../../support/own-postgres.ts';
import { eventOf, sqsEvent, userCreatedEvent } from '../support/events.ts';
import { setUpWorker, type WorkerSetup } from './worker-setup.ts';

const allHandled = { batchItemFailures: [] };

/** The emails of events whose rows only the new writer has. */
const emails = [
  {
    subject: /^Welcome/,
    event: async (_: WorkerSetup, userId: number) => eventOf('user.created', { userId }),
  },
  {
    subject: /API key/,
    async event({ sql }: WorkerSetup, userId: number) {
      const [key] = await sql`
        insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at)
        values (${userId}, 'key', 'hrk_Abcd1234', ${randomUUID()}, '{}', '2027-03-01') returning id`;
      return eventOf('user.api-key-created', { apiKeyId: Number(key?.id) });
    },
  },
  {
    subject: /address was changed/,
    async event({ sql }: WorkerSetup, userId: number) {
      const emailChangeId = randomUUID();
      await sql`
        insert into email_changes (id, user_id, former_email)
        values (${emailChangeId}, ${userId}, 'former@example.com')`;
      return eventOf('user.email-changed', { emailChangeId });
    },
  },
  {
    subject: /new password/,
    async event({ sql }: WorkerSetup, userId: number) {
      const passwordResetId = randomUUID();
      await sql`insert into password_resets (id, user_id) values (${passwordResetId}, ${userId})`;
      return eventOf('user.password-reset-requested', { passwordResetId });
    },
  },
];

/*
 * A failover that the connection of a worker survives: the former writer still responds, with old rows, and is read-only.
 */
describe('The email worker, after a failover of the writer', () => {
  let servers: OwnPostgres;
  let endpoint: TcpProxy;
  let setup: WorkerSetup;
  /** Each with a connection to the former writer. */
  const workers: ReturnType<WorkerSetup['createWorker']>[] = [];
  const aWorker = () => {
    const worker = workers.pop();
    if (worker === undefined) throw new Error('Each test has a worker: make one more');
    return worker;
  };

  beforeAll(async () => {
    servers = await startOwnPostgres();
    const former = servers.primary;
    await migrate(former.url);
    await waitForReplica({ primary: former, replica: servers.replica });
    endpoint = await startTcpProxy(former.url);
    setup = await setUpWorker({ writerUrl: servers.replica.url, drop: async () => {} });
    for (let count = 0; count < emails.length + 1; count += 1) {
      const worker = setup.createWorker({ databaseUrl: endpoint.through(former.url) });
      // Opens its connection.
      expect(await worker(sqsEvent(userCreatedEvent(4_711)))).toEqual(allHandled);
      workers.push(worker);
    }
    const [old, promoted] = [former, servers.replica].map(({ administratorUrl }) =>
      postgres(administratorUrl, { max: 1 }),
    );
    await old?.unsafe(`alter system set default_transaction_read_only = on`);
    await old?.unsafe(`select pg_reload_conf()`);
    await promoted?.unsafe(`select pg_promote()`);
    await eventually(async () =>
      expect(await old?.unsafe(`show default_transaction_read_only`)).toMatchObject([
        { default_transaction_read_only: 'on' },
      ]),
    );
    await Promise.all([old?.end(), promoted?.end()]);
    endpoint.retargetNew(servers.replica.url);
  });
  afterAll(async () => {
    await setup.close();
    await endpoint.close();
    await servers.stop();
  });

  it.each(emails)('sends what the former writer does not have: $subject', async (email) => {
    const userId = await setup.insertUser('Ada', `${randomUUID()}@example.com`);
    const event = await email.event(setup, userId);
    expect(await aWorker()(sqsEvent(event))).toEqual(allHandled);
    const sent = await setup.emails();
    expect(sent.filter(({ subject }) => email.subject.test(subject ?? ''))).toHaveLength(1);
  });

  it('sends nothing for a user who is deleted there, too, and succeeds', async () => {
    const before = await setup.emails();
    expect(await aWorker()(sqsEvent(eventOf('user.created', { userId: 4_711 })))).toEqual(
      allHandled,
    );
    expect(await setup.emails()).toHaveLength(before.length);
  });
});
