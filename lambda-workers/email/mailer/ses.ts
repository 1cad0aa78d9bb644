import { SESv2Client, type SESv2ClientConfig, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Mailer } from './mailer.ts';
import { composeMessage, MailerError } from './mailer.ts';

/**
 * Attempts at one email, with the SDK's exponential backoff (up to 0.5, 1 and 2 s when throttled). One more than its default of 3: SES throttles by
 * the second (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html), and the next delivery is minutes away.
 */
const MAXIMUM_ATTEMPTS = 4;
/** Milliseconds to connect to SES, and to get its response: all attempts fit into the worker's 30 s. */
const CONNECTION_TIMEOUT_MILLISECONDS = 1_000;
const REQUEST_TIMEOUT_MILLISECONDS = 4_000;

/** Errors of SES after which the same email may be accepted later. */
const RETRYABLE_ERRORS: ReadonlySet<string> = new Set([
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'LimitExceededException',
  'SendingPausedException',
  'InternalServiceErrorException',
  'TimeoutError',
]);

function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (RETRYABLE_ERRORS.has(error.name)) return true;
  // The SDK's errors have the status of the response, or none when there was none.
  if (!('$metadata' in error)) return true;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata))
    return true;
  return typeof metadata.httpStatusCode === 'number' && metadata.httpStatusCode >= 500;
}

/**
 * Sends through Amazon SES, which replaces Message-ID and Date.
 *
 * @param sender - the From header; its address or domain must be a verified identity.
 * @param configuration - of the client, such as `{ region }`.
 */
export function createSesMailer(sender: string, configuration: SESv2ClientConfig): Mailer {
  const client = new SESv2Client({
    maxAttempts: MAXIMUM_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MILLISECONDS,
      requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      // Without it the SDK logs a warning and keeps waiting.
      throwOnRequestTimeout: true,
    },
    ...configuration,
  });
  return {
    compose: (email) => composeMessage(email, sender),
    async send({ receiver, content }, signal) {
      const command = new SendEmailCommand({
        // Explicit, so that no header can add a recipient.
        Destination: { ToAddresses: [receiver] },
        Content: { Raw: { Data: content } },
      });
      try {
        const { MessageId: messageId } = await client.send(
          command,
          signal === undefined ? {} : { abortSignal: signal },
        );
        return messageId ?? 'unnamed';
      } catch (error) {
        // The SDK says only that the request was aborted.
        const cause: unknown = signal?.aborted === true ? signal.reason : error;
        throw new MailerError('Amazon SES did not accept the email', isRetryable(cause), { cause });
      }
    },
  };
}
