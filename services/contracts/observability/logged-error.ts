/** Anything that looks like an email address: what stands around an at sign, up to a blank, quote or bracket. */
const EMAIL_ADDRESS = /[^\s<>"'(),;:[\]=]+@[^\s<>"'(),;:[\]=]+/g;

/** `text` with every email address replaced, for messages that come from elsewhere: PostgreSQL and SES quote them. */
export function maskEmailAddresses(text: string): string {
  return text.replace(EMAIL_ADDRESS, '***@***');
}

/** What of an error is logged: never its other properties, where drivers keep rows and parameters. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/** Chains of causes are followed this far, so that one that ends in itself ends. */
const CAUSES_MAXIMUM = 5;

/** Reduces `error` to what may be logged. */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: maskEmailAddresses(String(error)) };
  }
  return {
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message: maskEmailAddresses(error.message),
    ...(error.stack === undefined ? {} : { stack: maskEmailAddresses(error.stack) }),
    ...(error.cause === undefined || depth >= CAUSES_MAXIMUM
      ? {}
      : { cause: loggedError(error.cause, depth + 1) }),
  };
}
