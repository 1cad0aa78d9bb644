import { z } from 'zod';
import { apiKey } from './api-keys.ts';
import { roles } from './authentication.ts';
import { user } from './users.ts';

/** All that is held about a user. Secrets are held as hashes, which say nothing about anybody, and are left out. */
export const personalData = z.object({
  /** When this was put together, RFC 3339 in UTC, as all times here. */
  exportedAt: z.iso.datetime(),
  user,
  account: z.object({ role: z.enum(roles), hasPassword: z.boolean() }),
  /** Logins that have not ended, where they are kept. */
  sessions: z.array(
    z.object({
      id: z.string(),
      /** The login, or the last renewal. */
      usedAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
    }),
  ),
  apiKeys: z.array(apiKey),
  /** Requests for a new password, of the last two days. */
  passwordResets: z.array(
    z.object({
      requestedAt: z.iso.datetime(),
      /** Null while no link has been sent. */
      expiresAt: z.iso.datetime().nullable(),
    }),
  ),
  /** Answers that are kept for repetitions of the request that created the user. */
  idempotentAnswers: z.array(z.object({ createdAt: z.iso.datetime(), answer: user })),
  /** Who has done what with the data of the user. */
  auditRecords: z.array(
    z.object({
      action: z.string(),
      actor: z.string(),
      actorId: z.int().positive(),
      createdAt: z.iso.datetime(),
    }),
  ),
});
export type PersonalData = z.infer<typeof personalData>;
