import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { describe, expect, inject, it } from 'vitest';
import { type Mailer, MailerError } from '../../../lambda-workers/email/mailer/mailer.ts';
import { allHandled, eventOf, failed, sqsEvent, userCreatedEvent } from '../support/events.ts';
import { useWorker } from './worker-setup.ts';

const setup = useWorker();

describe('The email worker, for a new user', () => {
  it('sends a welcome to the address from the database', async () => {
    const userId = await setup().insertUser('Ada Lovelace', 'ada@example.com');
    const event = userCreatedEvent(userId);
    expect(await setup().createWorker()(sqsEvent(event))).toEqual(allHandled);
    const [email, ...others] = await setup().emails();
    expect(others).toEqual([]);
    expect(email).toMatchObject({
      from: { name: 'Headroom', address: 'no-reply@headroom.example' },
      to: [{ name: '', address: 'ada@example.com' }],
      subject: 'Welcome',
      messageId: `<${event.id}@headroom.example>`,
      text: expect.stringContaining('Your account is ready.'),
      html: expect.stringMatching(
        /<h1 style="font-size: 1.5em">Welcome<\/h1>\s*<p>Your account is ready/,
      ),
    });
    expect(email?.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
  });

  it('sends no text of a stranger to an unverified address', async () => {
    const names = [
      '=?utf-8?q?=0d=0aBcc:_x@y.zz=E2=80=AE?=',
      'SuperBank: pay now https://evil.example/win',
      '<b>Bob</b>\r\nBcc: other@example.com',
      '\u202Eevil',
    ];
    const sent: unknown[] = [];
    for (const [index, name] of names.entries()) {
      const address = `bob${index}@example.com`;
      const userId = await setup().insertUser(name, address);
      await setup().createWorker()(sqsEvent(userCreatedEvent(userId)));
      const email = (await setup().emails()).find(({ to }) => to?.[0]?.address === address);
      sent.push([email?.to, email?.subject, email?.text, email?.html, email?.bcc]);
      expect(email?.to).toEqual([{ name: '', address }]);
    }
    const addresses = /bob\d@example\.com/g;
    const texts = sent.map((email) => JSON.stringify(email).replace(addresses, ''));

    expect(texts[0]).toContain('Your account is ready.');
    expect(new Set(texts).size, 'the same to everybody').toBe(1);
  });

  it('sends nothing and succeeds when the user no longer exists', async () => {
    expect(await setup().createWorker()(sqsEvent(userCreatedEvent(4_711)))).toEqual(allHandled);
    expect(await setup().emails()).toEqual([]);
    expect(setup().logged('User no longer exists: no welcome sent')).toMatchObject({
      userId: 4_711,
      eventId: expect.any(String),
    });
    expect(await setup().outcomes()).toEqual([{ outcome: 'user not found' }]);
  });

  it('needs no more privileges than its role has', async () => {
    const role = `email_worker_${randomUUID().slice(0, 8)}`;
    const administratorUrl = new URL(inject('system').postgres.primary.administratorUrl);
    administratorUrl.pathname = new URL(setup().databaseUrl).pathname;
    const administrator = postgres(administratorUrl.href, { max: 1, onnotice: () => {} });
    const roleUrl = new URL(setup().databaseUrl);
    roleUrl.username = role;
    roleUrl.password = 'secret';
    try {
      await administrator.unsafe(`
        create role ${role} login password 'secret';
        grant select (id, email) on users to ${role};
        grant select, insert, update, delete on idempotency_records to ${role};
      `);
      const userId = await setup().insertUser('Ada', 'ada@example.com');
      const worker = setup().createWorker({ databaseUrl: roleUrl.href });
      const event = userCreatedEvent(userId);
      expect(await worker(sqsEvent(event))).toEqual(allHandled);
      expect(await worker(sqsEvent(event))).toEqual(allHandled);
      expect(await setup().emails()).toHaveLength(1);
      const refusing: Partial<Mailer> = { send: () => Promise.reject(new MailerError('no', true)) };
      const failing = setup().createWorker({ databaseUrl: roleUrl.href, mailer: refusing });
      expect(await failing(sqsEvent(userCreatedEvent(userId)))).toEqual(failed(0));
      expect(await setup().sql`select status from idempotency_records`).toMatchObject([
        { status: 'COMPLETED' },
      ]);
    } finally {
      await administrator.unsafe(`drop owned by ${role}; drop role ${role}`);
      await administrator.end();
    }
  });
});

describe('The email worker, on a connection that outlived a failover', () => {
  const asked: string[] = [];
  /** What a former writer does not have. */
  const lookupOf = <Found>(found: Found) => ({
    async find() {
      asked.push('find');
      return null;
    },
    async confirm() {
      asked.push('confirm');
      return found;
    },
  });

  it.each([
    eventOf('user.created', { userId: 1 }),
    eventOf('user.email-changed', { emailChangeId: randomUUID() }),
    eventOf('user.api-key-created', { apiKeyId: 1 }),
  ])('on $type, asks the writer of now before it drops it', async (event) => {
    asked.length = 0;
    const email = 'ada@example.com';
    const lookups = {
      recipients: lookupOf({ email }),
      emailChanges: lookupOf({ formerEmail: email }),
      apiKeyNotices: lookupOf({ email, prefix: 'hrk_A', scopes: [], expiresOn: '2027-03-01' }),
    };
    expect(await setup().createWorker({ lookups })(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toMatchObject([{ to: [{ address: email }] }]);
    expect(asked).toEqual(['find', 'confirm']);
  });
});

describe('The email worker, on messages it cannot handle', () => {
  it.each([
    ['no JSON', 'surely no {json', 'is not JSON'],
    ['JSON that is null', 'null', 'wrong or missing: the body'],
    ['JSON that is text', '"text"', 'wrong or missing: the body'],
    ['a type that is no text', { type: 5 }, 'wrong or missing: type'],
    ['JSON that is no event', '[1]', 'wrong or missing: the body'],
    [
      'an unknown type',
      { ...userCreatedEvent(1), type: 'user.exploded' },
      'The type is "user.exploded"; this worker takes user.created, user.password-reset-requested, ',
    ],
    ['a type that is none', { type: 'ada@example.com' }, 'no event type'],
    ['no user id', { ...userCreatedEvent(1), data: {} }, 'wrong or missing: data.userId'],
    [
      'no event id and no time',
      { ...userCreatedEvent(1), id: undefined, time: undefined },
      'wrong or missing: id, time',
    ],
  ])('fails a message with %s, says why, and handles the others', async (_, body, reason) => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const worker = setup().createWorker();
    const good = [userCreatedEvent(userId), userCreatedEvent(userId)];
    expect(await worker(sqsEvent(good[0], body, good[1]))).toEqual(failed(1));
    expect(await setup().emails()).toHaveLength(2);
    expect(setup().logged('Message failed')).toMatchObject({
      level: 'error',
      error: { message: expect.stringContaining(reason) },
    });
  });

  it.each([
    ['a warning when the next delivery may succeed', true, 'warn'],
    ['an error when intervention is needed', false, 'error'],
  ])('logs %s', async (_, retryable, level) => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const send = () => Promise.reject(new MailerError('not now', retryable));
    const event = sqsEvent(userCreatedEvent(userId));
    for (const record of event.Records) record.attributes.ApproximateReceiveCount = '3';
    expect(await setup().createWorker({ mailer: { send } })(event)).toEqual(failed(0));
    expect(setup().logged('Message failed')).toMatchObject({
      level,
      messageId: '0',
      receiveCount: 3,
    });
  });

  it('flushes spans before the invocation ends, also of failed messages', async () => {
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
    await setup().createWorker({ tracer })(sqsEvent('no event'));
    expect(flushed).toEqual([1_000]);
  });

  it('reports every message when all fail, so that none is deleted', async () => {
    expect(await setup().createWorker()(sqsEvent('a', 'b'))).toEqual(failed(0, 1));
  });
});

describe('The log of the email worker', () => {
  it('holds no name and no address', async () => {
    const userId = await setup().insertUser('Confidentia Nominata', 'secret.person@example.com');
    const event = userCreatedEvent(userId);
    const quoting: Partial<Mailer> = {
      send({ receiver }) {
        const cause = new Error(`Email address is not verified: ${receiver}`);
        throw new MailerError(`Rejected <${receiver}>`, false, { cause });
      },
    };
    await setup().createWorker({ mailer: quoting })(sqsEvent(event));
    await setup().createWorker()(
      sqsEvent(
        event,
        '{"email":"secret.person@example.com", oops',
        { ...event, type: 'Confidentia Nominata' },
        { ...event, id: 'secret.person@example.com' },
      ),
    );
    await setup().createWorker()(sqsEvent(event));
    expect(await setup().emails()).toHaveLength(1);
    const log = setup().log();
    expect(log).toContain('Welcome sent');
    expect(log).toContain('***@***');
    expect(log).toContain(`"userId":${userId}`);
    expect(log).not.toMatch(/secret\.person|Confidentia|Nominata/);
  });

  it('is one JSON object a line, with level, time, service and stage', () => {
    for (const line of setup().log().trim().split('\n')) {
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
