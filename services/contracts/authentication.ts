import { z } from 'zod';
import { EMAIL_MAXIMUM_LENGTH, user } from './users.ts';
import { expects } from './validation-message.ts';

/**
 * Fewest characters (code points) of a new password: what NIST SP 800-63B-4, 3.1.1.2 demands where a password is all that is
 * asked for. https://pages.nist.gov/800-63-4/sp800-63b.html
 */
export const PASSWORD_MINIMUM_LENGTH = 15;
/** Most characters of a password: twice the 64 that the same section wants allowed at least. None is cut off. */
export const PASSWORD_MAXIMUM_LENGTH = 128;

/** What a person may be here; `permissions.ts` says what each may do. */
export const roles = ['user', 'admin'] as const;
export type Role = (typeof roles)[number];
export const defaultRole: Role = 'user';

const lengthOf = (text: string) => [...text.normalize('NFC')].length;

const wellFormed = z
  .string({ error: expects('a string') })
  // Before anything looks at each character: no character takes more than two units.
  .max(2 * PASSWORD_MAXIMUM_LENGTH, {
    error: `must be at most ${PASSWORD_MAXIMUM_LENGTH} characters long`,
    abort: true,
  })
  .refine((text) => text.isWellFormed(), {
    error: 'must be valid Unicode: it has half of a surrogate pair',
    abort: true,
  });

/** A password that somebody wants to have from now on. Any characters will do; common passwords are refused by the service. */
export const newPassword = wellFormed.refine(
  (text) => lengthOf(text) >= PASSWORD_MINIMUM_LENGTH && lengthOf(text) <= PASSWORD_MAXIMUM_LENGTH,
  { error: `must be ${PASSWORD_MINIMUM_LENGTH} to ${PASSWORD_MAXIMUM_LENGTH} characters long` },
);

/** A password that somebody says they have: of whatever rules there were when it was chosen. */
const presentedPassword = wellFormed.refine(
  (text) => text !== '' && lengthOf(text) <= PASSWORD_MAXIMUM_LENGTH,
  { error: `must be 1 to ${PASSWORD_MAXIMUM_LENGTH} characters long` },
);

/** An address to look for; whether it is a well-made one does not matter, and is not told. */
const presentedEmail = z.string({ error: expects('a string') }).max(EMAIL_MAXIMUM_LENGTH, {
  error: `must be at most ${EMAIL_MAXIMUM_LENGTH} characters long`,
});

/** Longer than any secret that is given out here. */
const SECRET_MAXIMUM_LENGTH = 200;
const presentedSecret = z.string({ error: expects('a string') }).max(SECRET_MAXIMUM_LENGTH, {
  error: `must be at most ${SECRET_MAXIMUM_LENGTH} characters long`,
});

/** Body of a login. */
export const loginBody = z.strictObject({ email: presentedEmail, password: presentedPassword });
export type LoginBody = z.output<typeof loginBody>;

/** Body of a refresh, and of a logout. */
export const refreshTokenBody = z.strictObject({ refreshToken: presentedSecret });
export type RefreshTokenBody = z.output<typeof refreshTokenBody>;

/** Body of a change of password. */
export const changePasswordBody = z.strictObject({
  currentPassword: presentedPassword,
  newPassword,
});
export type ChangePasswordBody = z.output<typeof changePasswordBody>;

/** Body of a request for a link to a new password. */
export const requestPasswordResetBody = z.strictObject({ email: presentedEmail });
export type RequestPasswordResetBody = z.output<typeof requestPasswordResetBody>;

/** Body with which a link's secret is turned into a new password. */
export const resetPasswordBody = z.strictObject({
  token: presentedSecret,
  newPassword,
  /** Leave the API keys as they are, for who has only forgotten the password and is sure that nobody else had it. */
  keepApiKeys: z.boolean({ error: expects('true or false') }).default(false),
});
export type ResetPasswordBody = z.output<typeof resetPasswordBody>;

/** Body that gives a user a role. */
export const setRoleBody = z.strictObject({
  role: z.enum(roles, { error: expects(`one of ${roles.join(', ')}`) }),
});
export type SetRoleBody = z.output<typeof setRoleBody>;

/** What a login, a refresh and a change of password answer with. */
export const tokens = z.object({
  /** A JWT, sent as `Authorization: Bearer …`. */
  accessToken: z.string(),
  tokenType: z.literal('Bearer'),
  /** Seconds that the access token is good for. */
  expiresInSeconds: z.int().positive(),
  /**
   * Gets the next tokens, once; each refresh gives a new one. Absent when sessions cannot be kept at the moment: then log in
   * again when the access token ends.
   */
  refreshToken: z.string().optional(),
  /** Seconds that the refresh token is good for if it is not used. */
  refreshExpiresInSeconds: z.int().positive().optional(),
});
export type Tokens = z.infer<typeof tokens>;

/** Who the credentials of a request belong to. */
export const currentUser = z.object({
  user,
  role: z.enum(roles),
  /** What the request was authenticated by. */
  credential: z.enum(['access-token', 'api-key']),
  /** What the API key may do; absent with an access token, which may do all that the role may. */
  scopes: z.array(z.string()).optional(),
});
export type CurrentUser = z.infer<typeof currentUser>;

/** A user's role. */
export const userRole = z.object({ userId: z.int().positive(), role: z.enum(roles) });
export type UserRole = z.infer<typeof userRole>;
