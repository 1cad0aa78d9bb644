import { z } from 'zod';

/**
 * The programs that read variables from the environment; the docs list each variable under its readers. `queue-worker` is every queue worker; one that
 * reads more is a program of its own, too.
 */
export type Program =
  | 'user-api'
  | 'migrate'
  | 'administer'
  | 'queue-worker'
  | 'email-worker'
  | 'maintenance'
  | 'start';

/** An environment variable: its schema, and its documentation. */
export interface EnvironmentVariable<Type extends z.ZodType = z.ZodType> {
  /** Parses the text of the variable, `undefined` when it is unset or empty. */
  readonly type: Type;
  /** In one or two sentences, with the unit. */
  readonly description: string;
  /** Valid values, completing "takes …". */
  readonly takes: string;
  readonly readBy: readonly Program[];
  /** Whether its value must never be printed. @default false */
  readonly secret?: boolean;
  /** An example for the docs. @default none */
  readonly example?: string;
}

export function variable<Type extends z.ZodType>(
  definition: EnvironmentVariable<Type>,
): EnvironmentVariable<Type> {
  return definition;
}

/** A whole number written in decimal digits, from `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum: number) {
  return z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(minimum).max(maximum));
}

/** A decimal number from 0 to 1, both included. */
export function fraction() {
  return z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number)
    .pipe(z.number().min(0).max(1));
}

/** Pairs of `key=value`, separated by commas; an unset variable is no pairs. Of a key given twice the last counts. */
export function keysAndValues() {
  return listOf(z.string().regex(/^[^=\s]+=.*$/)).transform(
    (pairs): Readonly<Record<string, string>> =>
      Object.fromEntries(
        pairs.map((pair) => {
          const equals = pair.indexOf('=');
          return [pair.slice(0, equals), pair.slice(equals + 1)];
        }),
      ),
  );
}

/** A URL whose scheme is one of `protocols` (with their colon, as in `postgres:`). */
export function urlOf(...protocols: readonly string[]) {
  return z.string().refine((text) => {
    const url = URL.parse(text);
    return url !== null && protocols.includes(url.protocol) && url.hostname !== '';
  });
}

/** The items of a comma-separated list: blanks around them are dropped, and so are empty ones. */
export function listItems(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A comma-separated list, as {@link listItems} reads it; an unset variable is the empty list. */
export function listOf(item: z.ZodType<string, string>) {
  return z.string().default('').transform(listItems).pipe(z.array(item));
}
