import { randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { workers } from '../../../lib/config/workers.ts';
import { bundledCode } from '../../../lib/constructs/functions/node-bundle.ts';
import { ExecutionEnvironment } from '../../../services/local/event-source/execution-environment.ts';
import { createCertificate, startTlsFront } from '../../services/contracts/database/tls-front.ts';
import { sqsEvent, userCreatedEvent } from '../support/events.ts';
import { accept, startSesEndpoint } from './mailer/ses-endpoint.ts';
import { setUpWorker, type WorkerSetup } from './worker-setup.ts';

/** Bundles the worker as its stack does. @returns the path of the bundle. */
function bundleWorker(outdir: string): string {
  const [email] = workers;
  const stack = new Stack(new App({ outdir }), 'Bundle');
  bundledCode({ entry: email?.entry ?? '' }).bind(stack);
  const asset = readdirSync(outdir).find((name) => name.startsWith('asset.'));
  return join(outdir, asset ?? '', 'index.mjs');
}

let setup: WorkerSetup;
let directory: string;
let bundle: string;
beforeAll(async () => {
  setup = await setUpWorker();
  directory = mkdtempSync(join(tmpdir(), 'headroom-bundle-'));
  bundle = bundleWorker(directory);
});
afterAll(async () => {
  await setup.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Starts the bundle with these variables and no others, as Lambda does, and calls its handler. */
async function invoke(
  variables: Record<string, string>,
  event: object,
): Promise<{ response: unknown; log: string }> {
  const logFile = join(directory, `${randomUUID()}.log`);
  const logDescriptor = openSync(logFile, 'a');
  const environment = new ExecutionEnvironment({
    entry: bundle,
    variables,
    memoryMebibytes: 512,
    logDescriptor,
  });
  onTestFinished(async () => {
    await environment.end();
    closeSync(logDescriptor);
  });
  await environment.initialize();
  const payload = await environment.invoke({
    requestId: randomUUID(),
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:email',
    payload: JSON.stringify(event),
    deadline: Date.now() + 20_000,
  });
  return { response: JSON.parse(payload ?? 'null'), log: readFileSync(logFile, 'utf8') };
}

const handled = { batchItemFailures: [] };

describe('The bundle of the email worker', () => {
  it('sends a welcome into the mailbox folder, and names a variable that is misspelt', async () => {
    const userId = await setup.insertUser('Ada', 'ada@example.com');
    const { response, log } = await invoke(
      {
        DATABASE_URL: setup.databaseUrl,
        MAILBOX_DIRECTORY: setup.mailboxDirectory,
        EMAIL_SENDR: 'no-reply@example.com',
      },
      sqsEvent(userCreatedEvent(userId), 'no event'),
    );
    expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
    expect(await setup.emails()).toMatchObject([{ subject: 'Welcome' }]);
    const lines = log.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).message).sort()).toEqual([
      'Message failed',
      'Unknown environment variable resembles a known one',
      'Welcome sent',
    ]);
    expect(log).toContain('"variable":"EMAIL_SENDR","meant":"EMAIL_SENDER"');
  });

  it('sends a welcome through Amazon SES', async () => {
    const ses = await startSesEndpoint(accept('ses-id'));
    onTestFinished(() => ses.close());
    const userId = await setup.insertUser('Grace', 'grace@example.com');
    const { response } = await invoke(
      {
        DATABASE_URL: setup.databaseUrl,
        EMAIL_TRANSPORT: 'ses',
        EMAIL_SENDER: 'Team <team@example.com>',
        AWS_REGION: 'eu-west-1',
        AWS_ENDPOINT_URL_SESV2: ses.url,
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
      },
      sqsEvent(userCreatedEvent(userId)),
    );
    expect(response).toEqual(handled);
    const [request] = ses.requests;
    expect(request?.authorization).toContain('/eu-west-1/ses/aws4_request');
    const raw = Buffer.from(request?.body.Content?.Raw?.Data ?? '', 'base64');
    expect(await PostalMime.parse(raw)).toMatchObject({
      from: { address: 'team@example.com' },
      to: [{ name: '', address: 'grace@example.com' }],
    });
  });

  const certificate = createCertificate();
  afterAll(() => certificate?.remove());
  it.skipIf(certificate === null)(
    'logs in to PostgreSQL with an IAM token over verified TLS',
    async () => {
      if (certificate === null) return;
      const front = await startTlsFront(certificate, new URL(setup.databaseUrl), true);
      onTestFinished(() => front.close());
      const { response, log } = await invoke(
        {
          DATABASE_URL: `postgres://email_worker@localhost:${front.port}/headroom`,
          DATABASE_AUTHENTICATION: 'iam',
          DATABASE_TLS: 'verify',
          NODE_EXTRA_CA_CERTS: certificate.certificateFile,
          AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'secret',
        },
        sqsEvent(userCreatedEvent(1)),
      );
      expect(front.passwords[0]).toContain(
        `localhost:${front.port}/?Action=connect&DBUser=email_worker`,
      );
      // The proxy refuses every token: the message is redelivered, and the log has the reason.
      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
      expect(log).toContain('28P01');
      expect(log).not.toContain('X-Amz-Signature');
    },
  );

  it('names invalid variables, when it is invoked and not before', async () => {
    const invoking = invoke({ DATABASE_TLS: 'maybe', LOG_LEVEL: 'loud' }, sqsEvent());
    await expect(invoking).rejects.toMatchObject({
      errorType: 'EnvironmentError',
      message: expect.stringMatching(
        /^LOG_LEVEL got "loud"; it takes one of .*\nDATABASE_URL is not set; it takes .*\nDATABASE_TLS got "maybe"/,
      ),
    });
  });
});
