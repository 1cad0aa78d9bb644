import { z } from 'zod';
import { apiKey } from './api-keys.ts';
import { roles } from './authentication.ts';
import { EMAIL_MAXIMUM_LENGTH } from './email-address.ts';
import { user } from './users.ts';

/** Newest entries of each list in an export, some 500 KB for all lists. */
export const PERSONAL_DATA_ENTRIES_MAXIMUM = 1_000;
/** Longer than any text here. */
const TEXT_MAXIMUM_LENGTH = 100;

const text = z.string().meta({ maxLength: TEXT_MAXIMUM_LENGTH });
const entries = <Entry extends z.ZodType>(entry: Entry) =>
  z.array(entry).meta({ maxItems: PERSONAL_DATA_ENTRIES_MAXIMUM });

/** Personal data of a user. Secrets are stored as hashes, which are no personal data, and left out. */
export const personalData = z
  .object({
    exportedAt: z.iso.datetime(),
    user,
    account: z.object({ role: z.enum(roles), hasPassword: z.boolean() }),
    /** Active sessions. */
    sessions: entries(
      z.object({
        id: text,
        beganAt: z.iso.datetime(),
        /** The login, or the last renewal. */
        usedAt: z.iso.datetime(),
        endsAt: z.iso.datetime(),
      }),
    ),
    apiKeys: entries(apiKey),
    /** Password resets of the last two days. */
    passwordResets: entries(
      z.object({
        requestedAt: z.iso.datetime(),
        /** Null until the email is sent. */
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
    /** Stored responses to the request that created the user. */
    idempotentAnswers: entries(z.object({ createdAt: z.iso.datetime(), answer: user })),
    /** Accesses to the user's data. */
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
