import { z } from 'zod';
import { presentedEmailAddress } from './email-address.ts';
import { newPassword, presentedPassword } from './password.ts';
import { visibleUser } from './users.ts';
import { expects } from './validation-message.ts';

/** `permissions.ts` says what each may do. */
export const roles = ['user', 'admin'] as const;
export type Role = (typeof roles)[number];
export const defaultRole: Role = 'user';

/** Longer than any secret. */
const SECRET_MAXIMUM_LENGTH = 200;
/** Fits into a header beside others. */
const ACCESS_TOKEN_MAXIMUM_LENGTH = 4_096;
/** More and longer scopes than exist. */
const SCOPES_MAXIMUM = 20;
const SCOPE_MAXIMUM_LENGTH = 50;
const presentedSecret = z.string({ error: expects('a string') }).max(SECRET_MAXIMUM_LENGTH, {
  error: `must be at most ${SECRET_MAXIMUM_LENGTH} characters long`,
});

/** Body of a login. */
export const loginBody = z
  .strictObject({ email: presentedEmailAddress, password: presentedPassword })
  .meta({ id: 'Login' });
export type LoginBody = z.output<typeof loginBody>;

/** Body of a refresh, and of a logout. */
export const refreshTokenBody = z
  .strictObject({ refreshToken: presentedSecret })
  .meta({ id: 'RefreshToken' });

/** Keeps the API keys, for an owner who is sure that the account was not compromised. */
const keepApiKeys = z.boolean({ error: expects('true or false') }).default(false);

/** Query of "log out everywhere". */
export const endSessionsQuery = z
  .strictObject({
    /** `keepApiKeys` of the bodies, as a parameter. */
    keep_api_keys: z
      .enum(['true', 'false'], { error: expects('true or false') })
      .default('false')
      .transform((text) => text === 'true')
      .meta({ type: 'boolean', default: false }),
  })
  .meta({ id: 'EndSessionsQuery' });

/** Body of a change of password. */
export const changePasswordBody = z
  .strictObject({
    currentPassword: presentedPassword,
    newPassword,
    keepApiKeys,
  })
  .meta({ id: 'ChangePassword' });
export type ChangePasswordBody = z.output<typeof changePasswordBody>;

/** Body of a request for a password reset. */
export const requestPasswordResetBody = z
  .strictObject({ email: presentedEmailAddress })
  .meta({ id: 'RequestPasswordReset' });

/** Body that sets a password with a reset's secret. */
export const resetPasswordBody = z
  .strictObject({
    token: presentedSecret,
    newPassword,
    keepApiKeys,
  })
  .meta({ id: 'ResetPassword' });
export type ResetPasswordBody = z.output<typeof resetPasswordBody>;

export const setRoleBody = z
  .strictObject({
    role: z.enum(roles, { error: expects(`one of ${roles.join(', ')}`) }),
  })
  .meta({ id: 'SetRole' });

/** Response of a login, a refresh and a change of password. */
export const tokens = z
  .object({
    /** A JWT, sent as `Authorization: Bearer …`. */
    accessToken: z.string().meta({ maxLength: ACCESS_TOKEN_MAXIMUM_LENGTH }),
    tokenType: z.literal('Bearer'),
    expiresInSeconds: z.int().positive(),
    /** Single use; each refresh returns a new one. Absent while sessions are unavailable: then log in again when the access token expires. */
    refreshToken: z.string().meta({ maxLength: SECRET_MAXIMUM_LENGTH }).optional(),
    /** Seconds until the refresh token expires without use. */
    refreshExpiresInSeconds: z.int().positive().optional(),
  })
  .meta({ id: 'Tokens' });
export type Tokens = z.infer<typeof tokens>;

/** Owner of a request's credentials. */
export const currentUser = z
  .object({
    /** With the email address unless the credentials are an API key without the scope for it. */
    user: visibleUser,
    role: z.enum(roles),
    credential: z.enum(['access-token', 'api-key']),
    /** Scopes of the API key; absent with an access token, which has all permissions of the role. */
    scopes: z
      .array(z.string().meta({ maxLength: SCOPE_MAXIMUM_LENGTH }))
      .meta({ maxItems: SCOPES_MAXIMUM })
      .optional(),
  })
  .meta({ id: 'CurrentUser' });
export type CurrentUser = z.infer<typeof currentUser>;

export const userRole = z
  .object({ userId: z.int().positive(), role: z.enum(roles) })
  .meta({ id: 'UserRole' });
export type UserRole = z.infer<typeof userRole>;
