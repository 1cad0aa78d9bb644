import type { z } from 'zod';

/** The events of a worker, discriminated by their type. */
type Events = z.ZodDiscriminatedUnion<
  readonly z.ZodObject<{ readonly type: z.ZodLiteral<string> }>[]
>;

/** The body of a message is no known event: a permanent error. */
export class UnreadableMessageError extends Error {
  override readonly name = 'UnreadableMessageError';
}

/** `type` as it may be logged: no personal data looks like an event type. */
function shownType(type: string): string {
  return /^[a-z][a-z0-9.-]{0,63}$/.test(type) ? `"${type}"` : 'no event type';
}

/**
 * The event in the body of a message.
 *
 * @throws {@link UnreadableMessageError} when it is not JSON, not of a known type, or invalid. It does not quote the body, which may hold personal data.
 */
export function parseEvent<Taken extends Events>(body: string, events: Taken): z.output<Taken> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new UnreadableMessageError(`The body (${body.length} characters) is not JSON`);
  }
  const parsed = events.safeParse(value);
  if (parsed.success) return parsed.data;
  const types = events.options.map((option) => option.shape.type.value);
  if (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    !types.includes(value.type)
  ) {
    throw new UnreadableMessageError(
      `The type is ${shownType(value.type)}; this worker takes ${types.join(', ')}`,
    );
  }
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'the body');
  throw new UnreadableMessageError(
    `The body is not a valid event: wrong or missing: ${[...new Set(fields)].join(', ')}`,
  );
}
