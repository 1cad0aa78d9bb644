import { z } from 'zod';
import { expects } from './validation-message.ts';

/** Most characters (code points, as PostgreSQL counts them) of a name. */
export const NAME_MAXIMUM_LENGTH = 100;
/** Most characters of an email address: what fits an SMTP path (RFC 5321, 4.5.3.1.3, and erratum 1690 of RFC 3696). */
export const EMAIL_MAXIMUM_LENGTH = 254;
/** Users on a page of a list, when `limit` is not given, and at most. */
export const PAGE_DEFAULT_LIMIT = 20;
export const PAGE_MAXIMUM_LIMIT = 100;

export const userStatuses = ['active', 'inactive', 'suspended'] as const;
export type UserStatus = (typeof userStatuses)[number];
export const defaultUserStatus: UserStatus = 'active';

const CONTROL_OR_LINE_SEPARATOR = /[\p{Cc}\u2028\u2029]/u;
/** A name of nothing but spaces and invisible format characters would look empty wherever it is shown. */
const VISIBLE = /[^\p{Z}\p{Cf}]/u;

const nameLength = `1 to ${NAME_MAXIMUM_LENGTH} characters long, not counting blanks around it`;

const name = z
  .string({ error: expects('a string') })
  .refine((text) => text.isWellFormed(), {
    error: 'must be valid Unicode: it has half of a surrogate pair',
    abort: true,
  })
  .trim()
  .refine((text) => !CONTROL_OR_LINE_SEPARATOR.test(text), {
    error: 'must be one line without control characters',
    abort: true,
  })
  .refine((text) => VISIBLE.test(text) && [...text].length <= NAME_MAXIMUM_LENGTH, {
    error: `must be ${nameLength}`,
  });

const email = z
  .string({ error: expects('a string') })
  // Before the pattern, so that it never runs over a long text.
  .max(EMAIL_MAXIMUM_LENGTH, { error: `must be at most ${EMAIL_MAXIMUM_LENGTH} characters long` })
  .pipe(z.email({ error: 'must be an email address such as ada@example.com' }));

const status = z.enum(userStatuses, { error: expects(`one of ${userStatuses.join(', ')}`) });

/** Body of a request that creates a user. Fields that are not named here are refused. */
export const createUserBody = z.strictObject({
  name,
  email,
  status: status.default(defaultUserStatus),
});
export type CreateUserBody = z.output<typeof createUserBody>;

/** Body of PUT: every field that a client may set, so that nothing is set by being left out. */
export const replaceUserBody = z.strictObject({ name, email, status });
export type ReplaceUserBody = z.output<typeof replaceUserBody>;

/** Body of PATCH, a JSON Merge Patch (RFC 7396): what is left out stays; nothing can be removed, so null is refused. */
export const updateUserBody = z.strictObject({
  name: name.optional(),
  email: email.optional(),
  status: status.optional(),
});
export type UpdateUserBody = z.output<typeof updateUserBody>;

/** A user as the API gives it. */
export const user = z.object({
  id: z.int().positive(),
  name: z.string(),
  email: z.string(),
  status: z.enum(userStatuses),
  /** RFC 3339 in UTC, with milliseconds. */
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** 1 at creation, one more with each update; the number in the ETag. */
  version: z.int().positive(),
});
export type User = z.infer<typeof user>;

const isPageLimit = (limit: number) => limit >= 1 && limit <= PAGE_MAXIMUM_LIMIT;

/** Query of a list. */
export const listUsersQuery = z.strictObject({
  limit: z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && isPageLimit(Number(text)), {
      error: `must be a whole number from 1 to ${PAGE_MAXIMUM_LIMIT}`,
    })
    .transform(Number)
    .default(PAGE_DEFAULT_LIMIT),
  /** `nextCursor` of the page before; what is in it is not part of the contract. */
  cursor: z.string().optional(),
  status: status.optional(),
});

/** A page of users in ascending order of id. */
export const userPage = z.object({
  data: z.array(user),
  /** Gets the next page when given as `cursor`; null on the last page. */
  nextCursor: z.string().nullable(),
});
export type UserPage = z.infer<typeof userPage>;
