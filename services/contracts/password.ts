import { z } from 'zod';
import { expects } from './validation-message.ts';

/**
 * Fewest characters (code points) of a new password: what NIST SP 800-63B-4, 3.1.1.2 demands where a password is all that is
 * asked for. https://pages.nist.gov/800-63-4/sp800-63b.html
 */
export const PASSWORD_MINIMUM_LENGTH = 15;
/** Most characters of a password: twice the 64 that the same section wants allowed at least. None is cut off. */
export const PASSWORD_MAXIMUM_LENGTH = 128;

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

/** A password that somebody says they have: of whatever rules there were when it was chosen. */
export const presentedPassword = wellFormed
  .refine((text) => text !== '' && lengthOf(text) <= PASSWORD_MAXIMUM_LENGTH, {
    error: `must be 1 to ${PASSWORD_MAXIMUM_LENGTH} characters long`,
  })
  .meta({ format: 'password', minLength: 1, maxLength: PASSWORD_MAXIMUM_LENGTH });
