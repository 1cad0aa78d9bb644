import { z } from 'zod';
import { urlOf, variable, wholeNumber } from '../variable.ts';

const httpUrl = urlOf('http:', 'https:');

/** Whether `text` is a JSON object with `member`; its reader validates the value. */
function isJsonObjectWith(member: string, text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && member in value;
  } catch {
    return false;
  }
}

export const authenticationVariables = {
  SERVICE_SECRET: variable({
    type: z.string().min(32).max(1_024),
    description:
      'Random secret, the same for all processes, from which keys for cursors, Idempotency-Keys, digests of clients and, unless ACCESS_TOKEN_KEYS is set, access tokens are derived. Changing it ends logins and invalidates cursors.',
    takes: 'at least 32 characters, such as `openssl rand -base64 48` prints',
    readBy: ['user-api', 'administer'],
    secret: true,
  }),
  ACCESS_TOKEN_KEYS: variable({
    type: z
      .string()
      .refine((text) => isJsonObjectWith('keys', text))
      .optional(),
    description:
      'Signing keys of access tokens, the same for all processes. Created and rotated by `npm run administer`. Unset: one key, derived from SERVICE_SECRET.',
    takes: 'a JSON object {"keys": […]} of private ES256 keys, each with kid and activeFrom',
    readBy: ['user-api', 'administer'],
    secret: true,
  }),
  ACCESS_TOKEN_ISSUER: variable({
    type: httpUrl.default('http://127.0.0.1:3000'),
    description: 'Issuer of access tokens: the public URL of the API, the same for all processes.',
    takes: 'a URL such as https://api.example.com',
    readBy: ['user-api'],
  }),
  ACCESS_TOKEN_AUDIENCE: variable({
    type: z.string().min(1).max(200).default('headroom-local'),
    description:
      'Audience of access tokens. Must differ between stages, so that the tokens of one are invalid in another.',
    takes: 'a text of 1 to 200 characters',
    readBy: ['user-api'],
  }),
  PASSWORD_HASH_CONCURRENCY: variable({
    type: wholeNumber(1, 64).optional(),
    description:
      'Maximum of passwords that a process hashes at once. Each takes a thread, 19 MiB and a core; above 2, set UV_THREADPOOL_SIZE to at least twice as many. Unset: half of the cores, at least 1 and at most 2.',
    takes: 'a whole number from 1 to 64',
    readBy: ['user-api'],
  }),
} as const;
