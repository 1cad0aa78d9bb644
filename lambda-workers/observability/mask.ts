/** Anything that looks like an email address: what stands around an at sign, up to a blank, quote or bracket. */
const EMAIL_ADDRESS = /[^\s<>"'(),;:[\]=]+@[^\s<>"'(),;:[\]=]+/g;

/** `text` with every email address replaced, for messages that come from elsewhere: SES and PostgreSQL quote them. */
export function maskEmailAddresses(text: string): string {
  return text.replace(EMAIL_ADDRESS, '***@***');
}
