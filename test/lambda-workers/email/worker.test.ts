import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
} from 'vitest';
import { type Mailer, MailerError } from '../../../lambda-workers/email/mailer/mailer.ts';
import { createSesMailer } from '../../../lambda-workers/email/mailer/ses.ts';
import { accept, hang, startSesEndpoint } from './mailer/ses-endpoint.ts';
import {
  lambdaContext,
  setUpWorker,
  sqsEvent,
  userCreatedEvent,
  type WorkerSetup,
} from './worker-setup.ts';

let setup: WorkerSetup;
beforeAll(async () => {
  setup = await setUpWorker();
});
afterAll(() => setup.close());
beforeEach(async () => {
  for (const file of readdirSync(setup.mailboxDirectory))
    rmSync(join(setup.mailboxDirectory, file));
  await setup.sql`truncate users, idempotency_records cascade`;
});

const allHandled = { batchItemFailures: [] };
const failed = (...ids: number[]) => ({
  batchItemFailures: ids.map((id) => ({ itemIdentifier: String(id) })),
});

describe('The email worker, for a new user', () => {
  it('sends a welcome to the address from the database', async () => {
    const userId = await setup.insertUser('Ada Lovelace', 'ada@example.com');
    const event = userCreatedEvent(userId);
    expect(await setup.createWorker()(sqsEvent(event))).toEqual(allHandled);
    const [email, ...others] = await setup.emails();
    expect(others).toEqual([]);
    expect(email).toMatchObject({
      from: { name: 'Headroom', address: 'no-reply@headroom.example' },
      to: [{ name: '', address: 'ada@example.com' }],
      subject: 'Welcome',
      messageId: `<${event.id}@headroom.example>`,
      text: expect.stringContaining('Your account is ready.'),
      html: expect.stringContaining('<h1 style="font-size: 1.5em">Welcome</h1>'),
    });
    expect(email?.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
  });

  it('sends nothing that a stranger chose to an address that need not be theirs', async () => {
    const names = [
      '=?utf-8?q?=0d=0aBcc:_x@y.zz=E2=80=AE?=',
      'SuperBank: pay now https://evil.example/win',
      '<b>Bob</b>\r\nBcc: other@example.com',
      '\u202Eevil',
    ];
    const sent: unknown[] = [];
    for (const [index, name] of names.entries()) {
      const address = `bob${index}@example.com`;
      const userId = await setup.insertUser(name, address);
      await setup.createWorker()(sqsEvent(userCreatedEvent(userId)));
      const email = (await setup.emails()).find(({ to }) => to?.[0]?.address === address);
      sent.push([email?.to, email?.subject, email?.text, email?.html, email?.bcc]);
      expect(email?.to).toEqual([{ name: '', address }]);
    }
    const addresses = /bob\d@example\.com/g;
    const texts = sent.map((email) => JSON.stringify(email).replace(addresses, ''));

    expect(texts[0]).toContain('Your account is ready.');
    expect(new Set(texts).size, 'the same to everybody').toBe(1);
  });

  it('sends nothing and is done when the user does not exist any more', async () => {
    expect(await setup.createWorker()(sqsEvent(userCreatedEvent(4_711)))).toEqual(allHandled);
    expect(await setup.emails()).toEqual([]);
    expect(setup.log()).toContain('User does not exist any more');
  });

  it('needs no more of the database than its role is granted', async () => {
    const role = `email_worker_${randomUUID().slice(0, 8)}`;
    const administratorUrl = new URL(inject('system').postgres.primary.administratorUrl);
    administratorUrl.pathname = new URL(setup.databaseUrl).pathname;
    const administrator = postgres(administratorUrl.href, { max: 1, onnotice: () => {} });
    const roleUrl = new URL(setup.databaseUrl);
    roleUrl.username = role;
    roleUrl.password = 'secret';
    try {
      await administrator.unsafe(`
        create role ${role} login password 'secret';
        grant select (id, email) on users to ${role};
        grant select, insert, update, delete on idempotency_records to ${role};
      `);
      const userId = await setup.insertUser('Ada', 'ada@example.com');
      const worker = setup.createWorker({ databaseUrl: roleUrl.href });
      const event = userCreatedEvent(userId);
      expect(await worker(sqsEvent(event))).toEqual(allHandled);
      expect(await worker(sqsEvent(event))).toEqual(allHandled);
      expect(await setup.emails()).toHaveLength(1);
      const refusing: Partial<Mailer> = { send: () => Promise.reject(new MailerError('no', true)) };
      const failing = setup.createWorker({ databaseUrl: roleUrl.href, mailer: refusing });
      expect(await failing(sqsEvent(userCreatedEvent(userId)))).toEqual(failed(0));
      expect(await setup.sql`select status from idempotency_records`).toMatchObject([
        { status: 'COMPLETED' },
      ]);
    } finally {
      await administrator.unsafe(`drop owned by ${role}; drop role ${role}`);
      await administrator.end();
    }
  });
});

describe('The email worker, once for each event', () => {
  it('sends one email when a message is delivered again, also to another worker', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const worker = setup.createWorker();
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.createWorker()(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(1);
  });

  it('sends one email when several workers get the event at the same time, and lets the others try later', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const sending = Promise.withResolvers<void>();
    const slow: Partial<Mailer> = {
      async send(message) {
        await sending.promise;
        return await setup.mailer.send(message);
      },
    };
    const first = setup.createWorker({ mailer: slow })(sqsEvent(event));
    await expect
      .poll(() => setup.sql`select status from idempotency_records`)
      .toMatchObject([{ status: 'INPROGRESS' }]);
    const others = [setup.createWorker(), setup.createWorker()];
    for (const worker of others) expect(await worker(sqsEvent(event))).toEqual(failed(0));
    const waiting = setup
      .log()
      .trim()
      .split('\n')
      .slice(-2)
      .map((line) => JSON.parse(line));
    expect(waiting).toMatchObject([{ level: 'warn' }, { level: 'warn' }]);
    sending.resolve();
    expect(await first).toEqual(allHandled);
    for (const worker of others) expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(1);
  });

  it('sends one email when a batch has the event twice', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const worker = setup.createWorker();
    const { batchItemFailures } = await worker(sqsEvent(event, event));
    expect(batchItemFailures.length).toBeLessThanOrEqual(1);
    expect(await worker(sqsEvent(event, event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(1);
  });

  it('sends an email for each event, be they about the same user', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const events = Array.from({ length: 10 }, () => userCreatedEvent(userId));
    expect(await setup.createWorker()(sqsEvent(...events))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(10);
  });

  it('tries again after a mailer that failed', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    let calls = 0;
    const unsteady: Partial<Mailer> = {
      async send(message) {
        calls += 1;
        if (calls === 1) throw new MailerError('not now', true);
        return await setup.mailer.send(message);
      },
    };
    const worker = setup.createWorker({ mailer: unsteady });
    expect(await worker(sqsEvent(event))).toEqual(failed(0));
    expect(await setup.emails()).toHaveLength(0);
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(1);
  });

  it('takes over from a worker that died before it sent, once its time is over and not before', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const dying: Partial<Mailer> = { send: () => new Promise(() => {}) };
    void setup.createWorker({ mailer: dying })(sqsEvent(event), lambdaContext(20_000));
    await expect
      .poll(() => setup.sql`select status from idempotency_records`)
      .toMatchObject([{ status: 'INPROGRESS' }]);
    const worker = setup.createWorker();
    expect(await worker(sqsEvent(event))).toEqual(failed(0));
    await setup.sql`update idempotency_records set in_progress_expiry = in_progress_expiry - 20_000`;
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(1);
  });

  it('sends nothing when there is no time left to finish it, and leaves the event to the next delivery', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const worker = setup.createWorker();
    let asked = 0;
    const slow = {
      ...lambdaContext(),
      getRemainingTimeInMillis: () => (asked++ < 2 ? 30_000 : 14_000),
    };
    expect(await worker(sqsEvent(event), slow)).toEqual(failed(0));
    expect(await setup.emails()).toHaveLength(0);
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(1);
  });

  it('gives up an email that SES takes too long for, and reports it alone while there is time', async () => {
    const ses = await startSesEndpoint(accept('ses-id'), hang);
    onTestFinished(() => ses.close());
    const mailer = createSesMailer('from@sender.example', {
      region: 'eu-west-1',
      endpoint: ses.url,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    });
    const events = [
      userCreatedEvent(await setup.insertUser('Ada', 'ada@example.com')),
      userCreatedEvent(await setup.insertUser('Grace', 'grace@example.com')),
    ];
    const { batchItemFailures } = await setup.createWorker({ mailer })(
      sqsEvent(...events),
      lambdaContext(1_000),
    );
    expect(batchItemFailures).toHaveLength(1);
    // No try but the first, though the client has time limits of its own, after which it tries again.
    expect(ses.requests).toHaveLength(2);
    expect(await setup.sql`select status from idempotency_records`).toEqual([
      { status: 'COMPLETED' },
    ]);
  });

  it('sends again when the record of a sent email could not be written, rather than lose one', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const cutOff: Partial<Mailer> = {
      async send(message) {
        const id = await setup.mailer.send(message);
        await setup.sql`alter table idempotency_records rename to out_of_reach`;
        return id;
      },
    };
    const outcome = await setup.createWorker({ mailer: cutOff })(sqsEvent(event), lambdaContext(1));
    await setup.sql`alter table out_of_reach rename to idempotency_records`;
    expect(outcome).toEqual(failed(0));
    expect(await setup.createWorker()(sqsEvent(event))).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(2);
  });

  it('composes the emails of a batch while their records are being taken, and sends none before', async () => {
    const userIds = [
      await setup.insertUser('Ada', 'a@example.com'),
      await setup.insertUser('Grace', 'g@example.com'),
    ];
    let [composed, sent] = [0, 0];
    const worker = setup.createWorker({
      mailer: {
        async compose(email) {
          composed += 1;
          return await setup.mailer.compose(email);
        },
        async send(message) {
          sent += 1;
          return await setup.mailer.send(message);
        },
      },
    });
    const handled = await setup.sql.begin(async (transaction) => {
      await transaction`lock table idempotency_records`;
      const handling = worker(sqsEvent(...userIds.map((id) => userCreatedEvent(id))));
      await expect.poll(() => composed).toBe(2);
      expect(sent).toBe(0);
      return { handling };
    });
    expect(await handled.handling).toEqual(allHandled);
    expect(sent).toBe(2);
  });

  it('fails the one email that cannot be composed, and sends it when it comes again', async () => {
    const userIds = [
      await setup.insertUser('Ada', 'a@example.com'),
      await setup.insertUser('Grace', 'g@example.com'),
    ];
    const events = userIds.map((id) => userCreatedEvent(id));
    const failing = setup.createWorker({
      mailer: {
        async compose(email) {
          if (email.id === events[0]?.id) throw new Error('cannot be composed');
          return await setup.mailer.compose(email);
        },
      },
    });
    expect(await failing(sqsEvent(...events))).toEqual(failed(0));
    expect(await setup.createWorker()(sqsEvent(...events))).toEqual(allHandled);
    const receivers = (await setup.emails()).flatMap(({ to }) => to?.map(({ address }) => address));
    expect(receivers.sort()).toEqual(['a@example.com', 'g@example.com']);
  });

  it('knows an event by the same key as workers of earlier versions', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const key = createHash('sha256').update(JSON.stringify(event.id)).digest('base64');
    await setup.createWorker()(sqsEvent(event));
    expect(await setup.sql`select idempotency_key from idempotency_records`).toMatchObject([
      { idempotency_key: `email#${key}` },
    ]);
  });

  it('counts an event as handled for longer than a message and its redrive can live', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    await setup.createWorker()(sqsEvent(userCreatedEvent(userId)));
    const [record] =
      await setup.sql`select expiry, consumer, response_data from idempotency_records`;
    const days = (Number(record?.expiry) - Date.now() / 1_000) / 86_400;
    expect(days).toBeGreaterThan(2 * 14);
    expect(record?.consumer).toBe('email-worker');
    expect(record?.response_data).toEqual({ outcome: 'sent', messageId: expect.any(String) });
  });
});

describe('The email worker, on messages it cannot handle', () => {
  it.each([
    ['no JSON', 'surely no {json', 'is not JSON'],
    ['JSON that is no event', '[1]', 'wrong or missing: the body'],
    [
      'an unknown type',
      { ...userCreatedEvent(1), type: 'user.exploded' },
      'The type is \\"user.exploded\\"; this worker takes user.created',
    ],
    ['a type that is none', { type: 'ada@example.com' }, 'one that is no event type'],
    ['no user id', { ...userCreatedEvent(1), data: {} }, 'wrong or missing: data.userId'],
    ['no event id', { ...userCreatedEvent(1), id: undefined }, 'wrong or missing: id'],
  ])('fails a message with %s, says why, and handles the others', async (_, body, reason) => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const worker = setup.createWorker();
    const good = [userCreatedEvent(userId), userCreatedEvent(userId)];
    expect(await worker(sqsEvent(good[0], body, good[1]))).toEqual(failed(1));
    expect(await setup.emails()).toHaveLength(2);
    const lines = setup.log().trim().split('\n');
    expect(lines.filter((line) => line.includes(reason)).at(-1)).toContain('"level":"error"');
  });

  it.each([
    ['a warning when the next delivery may get past it', true, 'warn'],
    ['an error when somebody has to look', false, 'error'],
  ])('logs %s', async (_, retryable, level) => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const send = () => Promise.reject(new MailerError('not now', retryable));
    const event = sqsEvent(userCreatedEvent(userId));
    for (const record of event.Records) record.attributes.ApproximateReceiveCount = '3';
    expect(await setup.createWorker({ mailer: { send } })(event)).toEqual(failed(0));
    expect(JSON.parse(setup.log().trim().split('\n').at(-1) ?? '')).toMatchObject({
      level,
      message: 'Message failed',
      messageId: '0',
      receiveCount: 3,
    });
  });

  it('sends spans off before the invocation ends, also of messages that failed', async () => {
    const flushed: number[] = [];
    const tracer = {
      startSpan: () => {
        throw new Error('no trace is recorded here');
      },
      flush: async (milliseconds: number) => {
        flushed.push(milliseconds);
      },
      close: async () => {},
      counts: { exported: 0, failed: 0 },
    };
    await setup.createWorker({ tracer })(sqsEvent('no event'));
    expect(flushed).toEqual([1_000]);
  });

  it('reports every message when all fail, so that none is deleted', async () => {
    expect(await setup.createWorker()(sqsEvent('a', 'b'))).toEqual(failed(0, 1));
  });
});

describe('The log of the email worker', () => {
  it('holds no name and no address, whatever happens', async () => {
    const userId = await setup.insertUser('Confidentia Nominata', 'secret.person@example.com');
    const event = userCreatedEvent(userId);
    const quoting: Partial<Mailer> = {
      send({ receiver }) {
        const cause = new Error(`Email address is not verified: ${receiver}`);
        throw new MailerError(`Rejected <${receiver}>`, false, { cause });
      },
    };
    await setup.createWorker({ mailer: quoting })(sqsEvent(event));
    await setup.createWorker()(
      sqsEvent(
        event,
        '{"email":"secret.person@example.com", oops',
        { ...event, type: 'Confidentia Nominata' },
        { ...event, id: 'secret.person@example.com' },
      ),
    );
    await setup.createWorker()(sqsEvent(event));
    expect(await setup.emails()).toHaveLength(1);
    const log = setup.log();
    expect(log).toContain('Welcome sent');
    expect(log).toContain('***@***');
    expect(log).toContain(`"userId":${userId}`);
    expect(log).not.toMatch(/secret\.person|Confidentia|Nominata/);
  });

  it('is one JSON object a line, with level, time, service and stage', () => {
    for (const line of setup.log().trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({
        level: expect.stringMatching(/^(info|warn|error)$/),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        service: 'email-worker',
        stage: 'test',
        message: expect.stringMatching(/./),
      });
    }
  });
});
