import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Mailer, MailerError } from '../../../lambda-workers/email/mailer/mailer.ts';
import { createSesMailer } from '../../../lambda-workers/email/mailer/ses.ts';
import {
  allHandled,
  failed,
  lambdaContext,
  sqsEvent,
  userCreatedEvent,
} from '../support/events.ts';
import { accept, hang, startSesEndpoint } from './mailer/ses-endpoint.ts';
import { useWorker } from './worker-setup.ts';

const setup = useWorker();

describe('The email worker, once for each event', () => {
  it('sends one email when a message is redelivered, also to another worker', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const worker = setup().createWorker();
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().createWorker()(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(1);
  });

  it('sends one email when several workers get the event concurrently, and has the others retry', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const sending = Promise.withResolvers<void>();
    const slow: Partial<Mailer> = {
      async send(message) {
        await sending.promise;
        return await setup().mailer.send(message);
      },
    };
    const first = setup().createWorker({ mailer: slow })(sqsEvent(event));
    await expect
      .poll(() => setup().sql`select status from idempotency_records`)
      .toMatchObject([{ status: 'INPROGRESS' }]);
    const others = [setup().createWorker(), setup().createWorker()];
    for (const worker of others) expect(await worker(sqsEvent(event))).toEqual(failed(0));
    const waiting = setup()
      .log()
      .trim()
      .split('\n')
      .slice(-2)
      .map((line) => JSON.parse(line));
    expect(waiting).toMatchObject([{ level: 'warn' }, { level: 'warn' }]);
    sending.resolve();
    expect(await first).toEqual(allHandled);
    for (const worker of others) expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(1);
  });

  it('sends one email when a batch has the event twice', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const worker = setup().createWorker();
    const { batchItemFailures } = await worker(sqsEvent(event, event));
    expect(batchItemFailures.length).toBeLessThanOrEqual(1);
    expect(await worker(sqsEvent(event, event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(1);
  });

  it('sends an email for each event, be they about the same user', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const events = Array.from({ length: 10 }, () => userCreatedEvent(userId));
    expect(await setup().createWorker()(sqsEvent(...events))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(10);
  });

  it('retries after a failure of the mailer', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    let calls = 0;
    const unsteady: Partial<Mailer> = {
      async send(message) {
        calls += 1;
        if (calls === 1) throw new MailerError('not now', true);
        return await setup().mailer.send(message);
      },
    };
    const worker = setup().createWorker({ mailer: unsteady });
    expect(await worker(sqsEvent(event))).toEqual(failed(0));
    expect(await setup().emails()).toHaveLength(0);
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(1);
  });

  it('takes over from a worker that died before it sent, only after its timeout', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const dying: Partial<Mailer> = { send: () => new Promise(() => {}) };
    void setup().createWorker({ mailer: dying })(sqsEvent(event), lambdaContext(20_000));
    await expect
      .poll(() => setup().sql`select status from idempotency_records`)
      .toMatchObject([{ status: 'INPROGRESS' }]);
    const worker = setup().createWorker();
    expect(await worker(sqsEvent(event))).toEqual(failed(0));
    await setup()
      .sql`update idempotency_records set in_progress_expiry = in_progress_expiry - 20_000`;
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(1);
  });

  it('sends nothing without enough time left, and leaves the event to the next delivery', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const worker = setup().createWorker();
    let asked = 0;
    const slow = {
      ...lambdaContext(),
      getRemainingTimeInMillis: () => (asked++ < 2 ? 30_000 : 14_000),
    };
    expect(await worker(sqsEvent(event), slow)).toEqual(failed(0));
    expect(setup().logged('Message failed')).toMatchObject({
      level: 'warn',
      error: {
        message: 'Too little time of the invocation is left to send it: the next delivery does',
      },
    });
    expect(await setup().emails()).toHaveLength(0);
    expect(await worker(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(1);
  });

  it('aborts an email that SES takes too long for, and reports it alone before the timeout', async () => {
    const ses = await startSesEndpoint(accept('ses-id'), hang);
    onTestFinished(() => ses.close());
    const mailer = createSesMailer('from@sender.example', {
      region: 'eu-west-1',
      endpoint: ses.url,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    });
    const events = [
      userCreatedEvent(await setup().insertUser('Ada', 'ada@example.com')),
      userCreatedEvent(await setup().insertUser('Grace', 'grace@example.com')),
    ];
    const { batchItemFailures } = await setup().createWorker({ mailer })(
      sqsEvent(...events),
      lambdaContext(1_000),
    );
    expect(batchItemFailures).toHaveLength(1);
    expect(setup().log()).toContain(
      'Too little time of the invocation is left to wait for the mailer',
    );
    // Only the first attempt, though the client retries after its own timeouts.
    expect(ses.requests).toHaveLength(2);
    expect(await setup().sql`select status from idempotency_records`).toEqual([
      { status: 'COMPLETED' },
    ]);
  });

  it('sends again when the record of a sent email could not be written', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const cutOff: Partial<Mailer> = {
      async send(message) {
        const id = await setup().mailer.send(message);
        await setup().sql`alter table idempotency_records rename to out_of_reach`;
        return id;
      },
    };
    const outcome = await setup().createWorker({ mailer: cutOff })(
      sqsEvent(event),
      lambdaContext(1),
    );
    await setup().sql`alter table out_of_reach rename to idempotency_records`;
    expect(outcome).toEqual(failed(0));
    expect(await setup().createWorker()(sqsEvent(event))).toEqual(allHandled);
    expect(await setup().emails()).toHaveLength(2);
  });

  it('composes the emails of a batch while their records are taken, and sends none before', async () => {
    const userIds = [
      await setup().insertUser('Ada', 'a@example.com'),
      await setup().insertUser('Grace', 'g@example.com'),
    ];
    let [composed, sent] = [0, 0];
    const worker = setup().createWorker({
      mailer: {
        async compose(email) {
          composed += 1;
          return await setup().mailer.compose(email);
        },
        async send(message) {
          sent += 1;
          return await setup().mailer.send(message);
        },
      },
    });
    const handled = await setup().sql.begin(async (transaction) => {
      await transaction`lock table idempotency_records`;
      const handling = worker(sqsEvent(...userIds.map((id) => userCreatedEvent(id))));
      await expect.poll(() => composed).toBe(2);
      expect(sent).toBe(0);
      return { handling };
    });
    expect(await handled.handling).toEqual(allHandled);
    expect(sent).toBe(2);
  });

  it('fails only the email that cannot be composed, and sends it when it is redelivered', async () => {
    const userIds = [
      await setup().insertUser('Ada', 'a@example.com'),
      await setup().insertUser('Grace', 'g@example.com'),
    ];
    const events = userIds.map((id) => userCreatedEvent(id));
    const failing = setup().createWorker({
      mailer: {
        async compose(email) {
          if (email.id === events[0]?.id) throw new Error('cannot be composed');
          return await setup().mailer.compose(email);
        },
      },
    });
    expect(await failing(sqsEvent(...events))).toEqual(failed(0));
    expect(await setup().createWorker()(sqsEvent(...events))).toEqual(allHandled);
    const receivers = (await setup().emails()).flatMap(({ to }) =>
      to?.map(({ address }) => address),
    );
    expect(receivers.sort()).toEqual(['a@example.com', 'g@example.com']);
  });

  it('uses the same idempotency key as earlier versions', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    const event = userCreatedEvent(userId);
    const key = createHash('sha256').update(JSON.stringify(event.id)).digest('base64');
    await setup().createWorker()(sqsEvent(event));
    expect(await setup().sql`select idempotency_key from idempotency_records`).toMatchObject([
      { idempotency_key: `email#${key}` },
    ]);
  });

  it('keeps a record for longer than a message and its redrive live', async () => {
    const userId = await setup().insertUser('Ada', 'ada@example.com');
    await setup().createWorker()(sqsEvent(userCreatedEvent(userId)));
    const [record] = await setup()
      .sql`select expiry, consumer, response_data from idempotency_records`;
    const days = (Number(record?.expiry) - Date.now() / 1_000) / 86_400;
    expect(days).toBeGreaterThan(2 * 14);
    expect(record?.consumer).toBe('email-worker');
    expect(record?.response_data).toEqual({ outcome: 'sent', messageId: expect.any(String) });
  });
});
