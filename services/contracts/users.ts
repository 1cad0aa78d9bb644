/** Most characters (code points) of a name. */
export const NAME_MAXIMUM_LENGTH = 100;
/** Most characters of an email address: what fits an SMTP path (RFC 5321, 4.5.3.1.3, with erratum 1690 to RFC 3696). */
export const EMAIL_MAXIMUM_LENGTH = 254;

export const userStatuses = ['active', 'inactive', 'suspended'] as const;
export type UserStatus = (typeof userStatuses)[number];
export const defaultUserStatus: UserStatus = 'active';
