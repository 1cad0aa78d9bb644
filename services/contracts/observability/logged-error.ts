/** Anything that looks like an email address: the text around an at sign, up to a blank, quote or bracket; the local part may be quoted. */
const EMAIL_ADDRESS = /(?:"[^"]*"|[^\s<>"'(),;:[\]=]+)@[^\s<>"'(),;:[\]=]+/g;
/** Logins, paths and queries of URLs may be secret; `file:` URLs are of code. */
const URL_IN_TEXT = /\b(?!file:)[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi;

/** The logged part of an error: none of its other properties, where drivers keep rows and parameters. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/** Maximum length of a chain of causes, which may be circular. */
const CAUSES_MAXIMUM = 5;
/** In place of a message that may quote values. */
const LEFT_OUT = '(left out: it may quote values)';

/**
 * Classes of SQLSTATE whose messages name tables, constraints and roles, and no values
 * (https://www.postgresql.org/docs/18/errcodes-appendix.html). 22 (`invalid input syntax for type bigint: "…"`) quotes values.
 */
const VALUELESS_CLASSES = new Set([
  '08',
  '23',
  '25',
  '28',
  '3D',
  '3F',
  '40',
  '42',
  '53',
  '55',
  '57',
  '58',
]);

const isSqlState = (code: unknown): code is string =>
  typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);

function maskText(text: string): string {
  return text
    .replace(URL_IN_TEXT, (url) => `${url.split('://')[0]}://${URL.parse(url)?.host ?? '***'}/***`)
    .replace(EMAIL_ADDRESS, '***@***');
}

/** The message without the values that its source is known to quote. */
function messageWithoutValues(error: Error): string {
  const { message } = error;
  const code = 'code' in error ? error.code : undefined;
  // PostgresError of postgres.js: the message is PostgreSQL's.
  if ('severity' in error && isSqlState(code)) {
    return VALUELESS_CLASSES.has(code.slice(0, 2)) ? message : LEFT_OUT;
  }
  // ZodError: issues quote values and unknown names.
  if ('issues' in error && Array.isArray(error.issues)) {
    const codes = error.issues.map((issue: unknown) => String(Object(issue).code));
    return `Invalid: ${codes.join(', ')}`;
  }
  // JSON.parse, BigInt and RegExp quote their input.
  if (error instanceof SyntaxError) return LEFT_OUT;
  // Node.js: `The argument 'name' is invalid. Received 'Ada'`.
  if (typeof code === 'string' && code.startsWith('ERR_')) {
    return message.replace(/\bReceived\b.*$/s, 'Received ***');
  }
  // Redis: `ERR unknown command 'x', with args beginning with: 'Ada'`.
  return message.replace(/(with args beginning with:).*$/s, '$1 ***');
}

/**
 * The message of an error without values of rows, parameters or requests: messages of drivers and parsers that quote them are cut or replaced, and email
 * addresses and URLs are masked.
 */
export function loggedMessage(error: unknown): string {
  return maskText(error instanceof Error ? messageWithoutValues(error) : String(error));
}

/** The frames of a stack, without the message, which may have several lines. */
function framesOf({ message, stack = '' }: Error): string {
  const end = stack.indexOf(message);
  const frames = stack.slice(end < 0 ? 0 : end + message.length).match(/^ {4}at .*$/gm) ?? [];
  return frames.join('\n');
}

/** The part of `error` that may be logged. */
export function loggedError(error: unknown, depth = 0): LoggedError {
  const message = loggedMessage(error);
  if (!(error instanceof Error)) return { type: typeof error, message };
  return {
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message,
    ...(error.stack === undefined
      ? {}
      : { stack: `${error.name}: ${message}\n${maskText(framesOf(error))}` }),
    ...(error.cause === undefined || depth >= CAUSES_MAXIMUM
      ? {}
      : { cause: loggedError(error.cause, depth + 1) }),
  };
}
