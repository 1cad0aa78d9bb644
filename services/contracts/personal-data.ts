import { z } from 'zod';
import { apiKey } from './api-keys.ts';
import { roles } from './authentication.ts';
import { EMAIL_MAXIMUM_LENGTH } from './email-address.ts';
import { user } from './users.ts';

/** Of each list in an export, the newest: more than anybody has without trying. All are some 500 KB. */
export const PERSONAL_DATA_ENTRIES_MAXIMUM = 1_000;
/** Texts longer than any there are. */
const TEXT_MAXIMUM_LENGTH = 100;

const text = z.string().meta({ maxLength: TEXT_MAXIMUM_LENGTH });
const entries = <Entry extends z.ZodType>(entry: Entry) =>
  z.array(entry).meta({ maxItems: PERSONAL_DATA_ENTRIES_MAXIMUM });

/** All that is held about a user. Secrets are held as hashes, which say nothing about anybody, and are left out. */
export const personalData = z
  .object({
    /** When this was put together, RFC 3339 in UTC, as all times here. */
    exportedAt: z.iso.datetime(),
    user,
    account: z.object({ role: z.enum(roles), hasPassword: z.boolean() }),
    /** Logins that have not ended, where they are kept. */
    sessions: entries(
      z.object({
        id: text,
        /** The login. */
        beganAt: z.iso.datetime(),
        /** The login, or the last renewal. */
        usedAt: z.iso.datetime(),
        endsAt: z.iso.datetime(),
      }),
    ),
    apiKeys: entries(apiKey),
    /** Requests for a new password, of the last two days. */
    passwordResets: entries(
      z.object({
        requestedAt: z.iso.datetime(),
        /** Null while no link has been sent. */
        expiresAt: z.iso.datetime().nullable(),
      }),
    ),
    /** Former addresses, of the last two days, which are notified of the change. */
    emailChanges: entries(
      z.object({
        formerEmail: z.string().meta({ format: 'email', maxLength: EMAIL_MAXIMUM_LENGTH }),
        changedAt: z.iso.datetime(),
      }),
    ),
    /** Answers that are kept for repetitions of the request that created the user. */
    idempotentAnswers: entries(z.object({ createdAt: z.iso.datetime(), answer: user })),
    /** Who has done what with the data of the user. */
    auditRecords: entries(
      z.object({
        action: text,
        actor: text,
        actorId: z.int().positive(),
        createdAt: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'PersonalData' });
export type PersonalData = z.infer<typeof personalData>;
