import type { ServerResponse } from 'node:http';
import type { SESv2ClientConfig } from '@aws-sdk/client-sesv2';
import PostalMime from 'postal-mime';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Email,
  type Mailer,
  MailerError,
} from '../../../../lambda-workers/email/mailer/mailer.ts';
import { createSesMailer } from '../../../../lambda-workers/email/mailer/ses.ts';
import { accept, hang, refuse, type SesEndpoint, startSesEndpoint } from './ses-endpoint.ts';

const email: Email = {
  id: 'an-id',
  to: 'zoe@example.com',
  subject: 'Grüße',
  text: 'text',
  html: '<p>html</p>',
};

function connect(endpoint: string, configuration: SESv2ClientConfig = {}): Mailer {
  return createSesMailer('Sender <from@sender.example>', {
    region: 'eu-west-1',
    endpoint,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    ...configuration,
  });
}

async function send(mailer: Mailer): Promise<string> {
  return await mailer.send(await mailer.compose(email));
}

type ReceivedResponse = (response: ServerResponse) => void;

/** Tests that can start an endpoint of their own. */
const it = test.extend<{
  start: (
    ...responses: readonly ReceivedResponse[]
  ) => Promise<{ ses: SesEndpoint; mailer: Mailer }>;
}>({
  start: async ({ onTestFinished }, use) => {
    await use(async (...responses) => {
      const ses = await startSesEndpoint(...responses);
      onTestFinished(() => ses.close());
      return { ses, mailer: connect(ses.url) };
    });
  },
});

/** The classification of an error does not depend on the attempt. */
const oneAttempt = { maxAttempts: 1 };

/** The SDK waits for a random share of its longest pause. */
function tryAgainAtOnce(): void {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0);
  onTestFinished(() => random.mockRestore());
}

const throttled = refuse(429, 'TooManyRequestsException', 'Maximum sending rate exceeded.');

describe('The mailer through Amazon SES', () => {
  it('sends the raw message to the address of the recipient alone, signed for its region', async ({
    start,
  }) => {
    const { ses, mailer } = await start(accept('ses-id'));
    expect(await send(mailer)).toBe('ses-id');
    const [request] = ses.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v2/email/outbound-emails',
      authorization: expect.stringMatching(
        /Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/ses\/aws4_request/,
      ),
      body: { Destination: { ToAddresses: ['zoe@example.com'] } },
    });
    const raw = Buffer.from(request?.body.Content?.Raw?.Data ?? '', 'base64');
    expect(await PostalMime.parse(raw)).toMatchObject({
      from: { name: 'Sender', address: 'from@sender.example' },
      to: [{ name: '', address: 'zoe@example.com' }],
      subject: 'Grüße',
    });
  });

  it('retries when it is throttled', async ({ start }) => {
    tryAgainAtOnce();
    const { ses, mailer } = await start(throttled, throttled, accept('ses-id'));
    expect(await send(mailer)).toBe('ses-id');
    expect(ses.requests).toHaveLength(3);
  });

  it('fails retryably when it is throttled for too long', async ({ start }) => {
    tryAgainAtOnce();
    const { ses, mailer } = await start(throttled);
    const sending = send(mailer);
    await expect(sending).rejects.toBeInstanceOf(MailerError);
    await expect(sending).rejects.toMatchObject({
      message: 'Amazon SES did not accept the email',
      retryable: true,
      cause: { name: 'TooManyRequestsException' },
    });
    expect(ses.requests).toHaveLength(4);
  });

  it.for([
    ['an internal error of SES', refuse(500, 'InternalServiceErrorException', 'no'), true],
    ['a quota of SES', refuse(400, 'LimitExceededException', 'no'), true],
    ['throttling by another name', refuse(400, 'ThrottlingException', 'no'), true],
    ['a response of SES with an unknown error', refuse(500, 'Unheard', 'no'), true],
    ['an error of a server in front of SES', refuse(502, 'Unheard', 'no'), true],
    ['an unknown refusal', refuse(499, 'Unheard', 'no'), false],
    ['a paused account', refuse(400, 'SendingPausedException', 'paused'), true],
    ['a rejected message', refuse(400, 'MessageRejected', 'Email address is not verified.'), false],
    ['a bad request', refuse(400, 'BadRequestException', 'Illegal address'), false],
    ['missing rights', refuse(403, 'AccessDeniedException', 'not authorized'), false],
    ['a connection that breaks', (response: ServerResponse): void => void response.destroy(), true],
  ] as const)(
    'reports for %s whether it is retryable',
    async ([, response, retryable], { start }) => {
      const { ses } = await start(response);
      const mailer = connect(ses.url, oneAttempt);
      await expect(send(mailer)).rejects.toMatchObject({ name: 'MailerError', retryable });
    },
  );

  it('fails retryably when SES does not respond for 4 s', async ({ start }) => {
    const { ses } = await start(hang);
    const mailer = connect(ses.url, oneAttempt);
    const message = await mailer.compose(email);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let error: unknown;
    const sending = mailer.send(message).catch((thrown) => {
      error = thrown;
    });
    while (ses.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(3_900);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    await sending;
    expect(error).toMatchObject({ retryable: true, cause: { name: 'TimeoutError' } });
  });

  it('fails retryably without credentials', async ({ start }) => {
    const { ses } = await start(accept('ses-id'));
    const credentials = () => Promise.reject(new Error('no credentials'));
    await expect(send(connect(ses.url, { credentials }))).rejects.toMatchObject({
      name: 'MailerError',
      retryable: true,
    });
    expect(ses.requests).toHaveLength(0);
  });

  it('has an id for an email without one of SES', async ({ start }) => {
    const { mailer } = await start((response) => response.end('{}'));
    expect(await send(mailer)).toBe('unnamed');
  });

  it('fails retryably when the endpoint refuses connections', async ({ start }) => {
    const { ses } = await start(accept('ses-id'));
    ses.close();
    await expect(send(connect(ses.url, oneAttempt))).rejects.toMatchObject({ retryable: true });
  });
});
