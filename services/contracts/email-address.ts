import { domainToASCII, domainToUnicode } from 'node:url';
import { z } from 'zod';
import { expects } from './validation-message.ts';

/** Most characters of an email address: what fits an SMTP path (RFC 5321, 4.5.3.1.3, and erratum 1690 of RFC 3696), and so does its domain (253 in DNS). */
export const EMAIL_MAXIMUM_LENGTH = 254;
/** Most characters before the @ (RFC 5321, 4.5.3.1.1). */
const LOCAL_PART_MAXIMUM_LENGTH = 64;

/** A dot-atom (RFC 5322, 3.2.3). Quoted local parts and those beyond ASCII (RFC 6531) are refused: few mail servers take them. */
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
/** Host names of at least two labels, the last of which is no number, as those of IP addresses are (RFC 1123, 2.1). */
const DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/;
/** Characters that the WHATWG host parser would interpret, such as `%41`. */
const NOT_IN_DOMAIN = /[\0-,/:-@[-`{-\x7f]/;

/** A label that stands for one beyond ASCII (RFC 5890, 2.3.2.1). */
const A_LABEL = /(?:^|\.)xn--/;

/** The domain in ASCII and lower case, as in DNS; '' for an invalid one. */
function asciiDomain(domain: string): string {
  if (NOT_IN_DOMAIN.test(domain)) return '';
  const ascii = domainToASCII(domain);
  // ASCII passes unchanged; an invalid `xn--` label stays unchanged on the way back.
  return A_LABEL.test(domainToUnicode(ascii)) ? '' : ascii;
}

/**
 * Normal form: the domain in ASCII (`xn--` labels) and lower case. A malformed address is unchanged. The case of the local part stays, but is
 * ignored in
 * comparisons.
 */
export function normalEmailAddress(text: string): string {
  const at = text.lastIndexOf('@');
  const domain = asciiDomain(text.slice(at + 1));
  return at === -1 || domain === '' ? text : `${text.slice(0, at)}@${domain}`;
}

function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const domain = text.slice(at + 1);
  return (
    local.length <= LOCAL_PART_MAXIMUM_LENGTH &&
    LOCAL_PART.test(local) &&
    DOMAIN.test(domain) &&
    asciiDomain(domain) === domain
  );
}

const tooLong = { error: `must be at most ${EMAIL_MAXIMUM_LENGTH} characters long` };

/** A valid address in its normal form. */
export const emailAddress = z
  .string({ error: expects('a string') })
  // First, so that nothing processes a long text; and last, because `xn--` labels are longer than their originals.
  .max(EMAIL_MAXIMUM_LENGTH, { ...tooLong, abort: true })
  .overwrite(normalEmailAddress)
  .refine(isEmailAddress, { error: 'must be an email address such as ada@example.com' })
  .refine((text) => text.length <= EMAIL_MAXIMUM_LENGTH, tooLong)
  .meta({
    format: 'email',
    maxLength: EMAIL_MAXIMUM_LENGTH,
    description: 'Case-insensitive. An internationalised domain is stored in ASCII (`xn--`).',
    examples: ['ada@example.com'],
  });

/** An address to look up; its validity does not matter and is not revealed. */
export const presentedEmailAddress = z
  .string({ error: expects('a string') })
  .max(EMAIL_MAXIMUM_LENGTH, tooLong)
  // PostgreSQL's texts cannot contain it: a lookup would fail.
  .refine((text) => !text.includes('\u0000'), { error: 'must not contain the character NUL' })
  .overwrite(normalEmailAddress)
  .meta({ examples: ['ada@example.com'] });
