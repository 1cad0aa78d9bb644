import { z } from 'zod';
import { expects } from './validation-message.ts';

/**
 * Fewest characters (code points) of a new password: required by NIST SP 800-63B-4, 3.1.1.2 where a password is the only factor.
 * https://pages.nist.gov/800-63-4/sp800-63b.html
 */
export const PASSWORD_MINIMUM_LENGTH = 15;
/** Most characters of a password: twice the 64 that the same section requires. None is truncated. */
export const PASSWORD_MAXIMUM_LENGTH = 128;

const lengthOf = (text: string) => [...text.normalize('NFC')].length;

const wellFormed = z
  .string({ error: expects('a string') })
  // First, so that nothing processes a long text: no character takes more than two units.
  .max(2 * PASSWORD_MAXIMUM_LENGTH, {
    error: `must be at most ${PASSWORD_MAXIMUM_LENGTH} characters long`,
    abort: true,
  })
  .refine((text) => text.isWellFormed(), {
    error: 'must be valid Unicode: it has half of a surrogate pair',
    abort: true,
  });

/** A new password. All characters are allowed; the service refuses common passwords. */
export const newPassword = wellFormed
  .refine(
    (text) =>
      lengthOf(text) >= PASSWORD_MINIMUM_LENGTH && lengthOf(text) <= PASSWORD_MAXIMUM_LENGTH,
    { error: `must be ${PASSWORD_MINIMUM_LENGTH} to ${PASSWORD_MAXIMUM_LENGTH} characters long` },
  )
  .meta({
    format: 'password',
    minLength: PASSWORD_MINIMUM_LENGTH,
    maxLength: PASSWORD_MAXIMUM_LENGTH,
  });

/** A password to verify, under whatever rules it was chosen. */
export const presentedPassword = wellFormed
  .refine((text) => text !== '' && lengthOf(text) <= PASSWORD_MAXIMUM_LENGTH, {
    error: `must be 1 to ${PASSWORD_MAXIMUM_LENGTH} characters long`,
  })
  .meta({ format: 'password', minLength: 1, maxLength: PASSWORD_MAXIMUM_LENGTH });
