import { z } from 'zod';
import { urlOf, variable, wholeNumber } from '../variable.ts';

const httpUrl = urlOf('http:', 'https:');

export const emailVariables = {
  SQS_ENDPOINT: variable({
    type: httpUrl.optional(),
    description:
      'Endpoint of SQS. Unset: that of AWS. For `npm start`: when set, no local SQS is started; EMAIL_QUEUE_URL must then name a queue there.',
    takes: 'a URL such as http://127.0.0.1:4566',
    readBy: ['user-api', 'start'],
  }),
  EMAIL_QUEUE_URL: variable({
    type: httpUrl,
    description: 'Queue of the email worker.',
    takes: 'the URL of an SQS queue',
    readBy: ['user-api', 'start'],
  }),
  EMAIL_TRANSPORT: variable({
    type: z.enum(['folder', 'ses']).default('folder'),
    description: 'Transport of email: files in MAILBOX_DIRECTORY, or Amazon SES.',
    takes: 'folder or ses',
    readBy: ['email-worker'],
  }),
  EMAIL_SENDER: variable({
    type: z
      .string()
      .regex(/^[^\r\n]+$/)
      .default('Headroom <no-reply@headroom.example>'),
    description:
      'Sender of every email; with SES its address or domain must be a verified identity.',
    takes: 'an address such as "Headroom <no-reply@example.com>"',
    readBy: ['email-worker'],
  }),
  MAILBOX_DIRECTORY: variable({
    type: z.string().default('.local/mailbox'),
    description: 'Folder of one .eml file per email when EMAIL_TRANSPORT is folder.',
    takes: 'the path of a folder',
    readBy: ['email-worker'],
  }),
  MAILBOX_PORT: variable({
    type: wholeNumber(0, 65_535).default(8025),
    description: 'Port of the local mailbox page; 0 takes any free one.',
    takes: 'a whole number from 0 to 65535',
    readBy: ['start'],
  }),
  PASSWORD_RESET_URL: variable({
    type: httpUrl.default('http://127.0.0.1:3000/reset-password'),
    description:
      'Page of the links to a new password; the secret is appended as a fragment (`#token=…`), which browsers do not send to servers.',
    takes: 'a URL such as https://www.example.com/reset-password',
    readBy: ['email-worker'],
  }),
} as const;
