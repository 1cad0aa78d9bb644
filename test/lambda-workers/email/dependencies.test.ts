import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createDependencies } from '../../../lambda-workers/email/dependencies.ts';
import { handler } from '../../../lambda-workers/email/handler.ts';
import { createEmailWorker } from '../../../lambda-workers/email/worker.ts';
import { startCollector } from '../../services/user-api/observability/support/collector.ts';
import { lambdaContext, sqsEvent, userCreatedEvent } from '../support/events.ts';
import { captureLog } from '../support/standard-output.ts';
import { accept, startSesEndpoint } from './mailer/ses-endpoint.ts';
import { setUpWorker, type WorkerSetup } from './worker-setup.ts';

const allHandled = { batchItemFailures: [] };

let setup: WorkerSetup;
beforeAll(async () => {
  setup = await setUpWorker();
});
afterAll(() => setup.close());

/** Sets variables of the environment until the test ends. */
function environment(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

async function eventOfUser(name: string): Promise<ReturnType<typeof sqsEvent>> {
  return sqsEvent(userCreatedEvent(await setup.insertUser(name, `${name}@example.com`)));
}

/** Handles one event by a worker made from `variables`. */
async function handleWith(
  variables: Readonly<Record<string, string>>,
  event: ReturnType<typeof sqsEvent>,
) {
  const dependencies = await createDependencies({
    DATABASE_URL: setup.databaseUrl,
    LOG_LEVEL: 'silent',
    ...variables,
  });
  try {
    return await createEmailWorker(dependencies)(event, lambdaContext());
  } finally {
    await dependencies.close();
  }
}

describe('The email worker, by its environment', () => {
  it('writes emails into the folder, from the sender, under its own name, and closes its connection', async () => {
    const event = await eventOfUser('folder');
    const variables = {
      MAILBOX_DIRECTORY: setup.mailboxDirectory,
      EMAIL_SENDER: 'A <a@b.example>',
    };

    expect(await handleWith(variables, event)).toEqual(allHandled);

    expect(await setup.emails()).toMatchObject([{ from: { name: 'A', address: 'a@b.example' } }]);
    expect(await setup.sql`select consumer from idempotency_records`).toEqual([
      { consumer: 'email-worker' },
    ]);
    const connections = () =>
      setup.sql`
        select from pg_stat_activity
        where application_name = 'email-worker' and datname = current_database()`;
    await expect.poll(connections).toHaveLength(0);
  });

  it('sends them through Amazon SES in its region', async () => {
    const ses = await startSesEndpoint(accept('ses-id'));
    onTestFinished(() => ses.close());
    environment({
      AWS_ENDPOINT_URL_SESV2: ses.url,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
    const variables = {
      EMAIL_TRANSPORT: 'ses',
      EMAIL_SENDER: 'a@b.example',
      AWS_REGION: 'eu-west-1',
    };

    expect(await handleWith(variables, await eventOfUser('ses'))).toEqual(allHandled);

    expect(ses.requests).toMatchObject([
      {
        authorization: expect.stringContaining('/eu-west-1/ses/aws4_request'),
        body: { Destination: { ToAddresses: ['ses@example.com'] } },
      },
    ]);
  });
});

describe('The email worker, by its environment, logs', () => {
  it('a misspelt variable, and the reason for a missing database password', async () => {
    const log = captureLog();
    const variables = { DATABASE_PASSWORD_FILE: '/no/such/file', EMAIL_SENDR: 'a@b.example' };

    await handleWith({ ...variables, LOG_LEVEL: 'info' }, sqsEvent(userCreatedEvent(1)));

    expect(log).toContainEqual(
      expect.objectContaining({
        message: 'Unknown environment variable resembles a known one',
        variable: 'EMAIL_SENDR',
        meant: 'EMAIL_SENDER',
      }),
    );
    expect(log).toContainEqual(
      expect.objectContaining({
        message: 'No database password',
        error: expect.objectContaining({ code: 'ENOENT' }),
      }),
    );
  });

  it('that the collector refuses traces, and that it accepts them again', async () => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    const log = captureLog();
    const { tracer, close } = await createDependencies({
      DATABASE_URL: setup.databaseUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    });
    for (const status of [400, 200]) {
      collector.respondWith(status);
      tracer?.startSpan('span', {}, null).end();
      await tracer?.flush(5_000);
    }
    await close();
    expect(log).toMatchObject([
      {
        level: 'warn',
        message: 'The collector refuses traces: they are lost',
        error: { message: expect.any(String) },
      },
      { level: 'info', message: 'The collector accepts traces again' },
    ]);
  });
});

describe('The email worker, with a collector', () => {
  it('records the send of an email without its recipient', async () => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const userId = await setup.insertUser('Traced', 'traced@example.com');
    const variables = {
      MAILBOX_DIRECTORY: setup.mailboxDirectory,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    };

    await handleWith(variables, sqsEvent({ ...userCreatedEvent(userId), traceparent }));

    expect(collector.spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['send email', 'process email', 'SELECT users']),
    );
    const sending = collector.spans.find(({ name }) => name === 'send email');
    expect(sending).toMatchObject({ attributes: { 'headroom.mailer': 'folder' }, statusCode: 0 });
    expect(collector.text()).toContain('email-worker');
    expect(collector.text()).not.toMatch(/traced@|Traced/);
  });
});

describe('The handler of the email worker', () => {
  it('reports errors at each invocation, without values, works once they are corrected, and then keeps its connection', async () => {
    environment({ MAILBOX_DIRECTORY: setup.mailboxDirectory, LOG_LEVEL: 'silent' });
    for (const [url, message] of [
      ['', /^DATABASE_URL is not set; it takes/],
      // The driver refuses a URL that the schema accepts; its error has the URL as a property.
      ['postgres://login:secret@,host/db', /^The email worker could not be started. Invalid URL$/],
    ] as const) {
      environment({ DATABASE_URL: url });
      const error: unknown = await handler(sqsEvent(), lambdaContext()).catch((thrown) => thrown);
      expect(error).toMatchObject({ message: expect.stringMatching(message) });
      expect(inspect(error)).not.toContain('secret');
    }
    environment({ DATABASE_URL: setup.databaseUrl });
    const before = (await setup.emails()).length;
    expect(await handler(await eventOfUser('one'), lambdaContext())).toEqual(allHandled);
    expect(await handler(await eventOfUser('two'), lambdaContext())).toEqual(allHandled);
    expect(await setup.emails()).toHaveLength(before + 2);
    expect(
      await setup.sql`
        select from pg_stat_activity
        where application_name = 'email-worker' and datname = current_database()`,
    ).toHaveLength(1);
  });
});
