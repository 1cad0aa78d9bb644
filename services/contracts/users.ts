import { z } from 'zod';
import { EMAIL_MAXIMUM_LENGTH, emailAddress } from './email-address.ts';
import { newPassword } from './password.ts';
import { prefixOfLine, singleLine } from './single-line.ts';
import { expects } from './validation-message.ts';

export const USERS_PATH = '/api/v1/users';
/**
 * The newest version answers without its number too, and the singular does as well as the plural, so that the addresses which
 * load tests are usually written with work.
 */
export const USERS_ALIASES: readonly string[] = ['/api/v1/user', '/api/users', '/api/user'];

/** Most characters (code points, as PostgreSQL counts them) of a name. */
export const NAME_MAXIMUM_LENGTH = 100;
/** Users on a page of a list, when `limit` is not given, and at most. */
export const PAGE_DEFAULT_LIMIT = 20;
export const PAGE_MAXIMUM_LIMIT = 100;

export const userStatuses = ['active', 'inactive', 'suspended'] as const;
export type UserStatus = (typeof userStatuses)[number];
export const defaultUserStatus: UserStatus = 'active';

const name = singleLine(NAME_MAXIMUM_LENGTH, ['Ada Lovelace']);

const status = z.enum(userStatuses, { error: expects(`one of ${userStatuses.join(', ')}`) });

/**
 * What a client sets of a user: the one list that requests, responses, statements and demo data are made of. The table has a column for each. A
 * default is for creations alone.
 */
export const userFields = {
  name,
  email: emailAddress,
  status: status.default(defaultUserStatus),
};
export type UserFields = z.output<z.ZodObject<typeof userFields>>;

type WithoutDefault<Field> = Field extends z.ZodDefault<infer Inner> ? Inner : Field;
type GivenFields = {
  [Name in keyof typeof userFields]: WithoutDefault<(typeof userFields)[Name]>;
};
/** Without defaults, which an optional field applies, too: a change would set what it does not name. */
const givenFields = Object.fromEntries(
  Object.entries(userFields).map(([field, type]) => [
    field,
    type instanceof z.ZodDefault ? type.unwrap() : type,
  ]),
) as unknown as GivenFields;

/** Body of a request that creates a user. Fields that are not named here are refused. */
export const createUserBody = z
  .strictObject({
    ...userFields,
    /** To log in with. Without one, a password reset gives the first. */
    password: newPassword.optional(),
  })
  .meta({ id: 'CreateUser' });
export type CreateUserBody = z.output<typeof createUserBody>;

/** Body of PUT: every field that a client may set, so that nothing is set by being left out. */
export const replaceUserBody = z.strictObject(givenFields).meta({ id: 'ReplaceUser' });

/** Body of PATCH, a JSON Merge Patch (RFC 7396): what is left out stays; nothing can be removed, so null is refused. */
export const updateUserBody = z.strictObject(givenFields).partial().meta({ id: 'UpdateUser' });
export type UpdateUserBody = z.output<typeof updateUserBody>;

/** All about a user: as the person, an administrator, or an API key with the scope for it sees it. */
export const user = z
  .object({
    id: z.int().positive(),
    ...givenFields,
    // What was stored under former rules is shown as it is.
    name: z.string().meta({ maxLength: NAME_MAXIMUM_LENGTH, examples: ['Ada Lovelace'] }),
    email: z
      .string()
      .meta({ format: 'email', maxLength: EMAIL_MAXIMUM_LENGTH, examples: ['ada@example.com'] }),
    status: z.enum(userStatuses),
    /** RFC 3339 in UTC, with milliseconds. */
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    /** 1 at creation, incremented by each update; the number in the ETag. */
    version: z
      .int()
      .positive()
      .meta({ description: '1 at creation, incremented by each update; the number in the ETag.' }),
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof user>;
export const userFieldNames = Object.keys(user.shape) as (keyof User)[];

/** What anybody sees of a user. */
export const publicUser = user.omit({ email: true }).meta({ id: 'PublicUser' });
export type PublicUser = z.infer<typeof publicUser>;

/** A user in responses: with the email address where the caller may see it. */
export const visibleUser = user.partial({ email: true }).meta({ id: 'VisibleUser' });
export type VisibleUser = z.infer<typeof visibleUser>;

function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum,
      { error: `must be a whole number from ${minimum} to ${maximum}` },
    )
    .transform(Number)
    .meta({ type: 'integer', minimum, maximum });
}

/** Orders of a list: by creation time, the oldest first, or with a minus the newest first. */
export const userSorts = ['created_at', '-created_at'] as const;
/** Users from the beginning that `page` can reach, and up to which `total` is counted. */
export const PAGED_MAXIMUM_USERS = 10_000;
/** Longer than any cursor that is given out: one holds a name at most. */
const CURSOR_MAXIMUM_LENGTH = 800;

/** Query of a list. */
export const listUsersQuery = z
  .strictObject({
    limit: wholeNumber(1, PAGE_MAXIMUM_LIMIT).optional(),
    /** `nextCursor` of the page before; what is in it is not part of the contract. */
    cursor: z
      .string()
      .max(CURSOR_MAXIMUM_LENGTH, {
        error: `must be at most ${CURSOR_MAXIMUM_LENGTH} characters long`,
      })
      .optional(),
    /** Page number, from 1; for simple clients, and near the beginning only. */
    page: wholeNumber(1, PAGED_MAXIMUM_USERS).optional(),
    per_page: wholeNumber(1, PAGE_MAXIMUM_LIMIT).optional(),
    status: status.optional(),
    /** How names begin, without regard to case. Such a list is in order of name. */
    name_prefix: prefixOfLine(NAME_MAXIMUM_LENGTH, ['Ada']).optional(),
    sort: z.enum(userSorts, { error: expects(`one of ${userSorts.join(', ')}`) }).optional(),
  })
  .superRefine(({ cursor, limit, name_prefix, page, per_page, sort }, context) => {
    const refuse = (parameter: string, message: string) =>
      context.addIssue({ code: 'custom', path: [parameter], message });
    const paged = page !== undefined || per_page !== undefined;
    if (paged && cursor !== undefined) refuse('cursor', 'cannot be given with page or per_page');
    if (paged && limit !== undefined) refuse('limit', 'cannot be given with page; per_page can');
    if (name_prefix !== undefined && sort !== undefined) {
      refuse('sort', 'cannot be given with name_prefix: such a list is in order of name');
    }
  });
export type ListUsersQuery = z.output<typeof listUsersQuery>;

/** A page of users. */
export const userPage = z
  .object({
    data: z.array(visibleUser).meta({ maxItems: PAGE_MAXIMUM_LIMIT }),
    nextCursor: z
      .string()
      .meta({
        maxLength: CURSOR_MAXIMUM_LENGTH,
        description: 'Send it as `cursor` to get the next page; null on the last page.',
      })
      .nullable(),
    /** With `page` or `per_page` only, as are the following. */
    page: z.int().positive().optional(),
    perPage: z.int().positive().optional(),
    /** Users in the whole list: exactly, or so many at least. */
    total: z.int().nonnegative().optional(),
    /** False when there are more users than are counted. */
    totalIsExact: z.boolean().optional(),
  })
  .meta({ id: 'UserPage' });
export type UserPage = z.infer<typeof userPage>;
