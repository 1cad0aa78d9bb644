import { type Event, event } from '../../services/contracts/events.ts';

/** The body of a message is no known event: a permanent error. */
export class UnreadableMessageError extends Error {
  override readonly name = 'UnreadableMessageError';
}

const knownTypes: ReadonlySet<string> = new Set(
  event.options.map((option) => option.shape.type.value),
);

/** `type` as it may be logged: no personal data looks like an event type. */
function shownType(type: string): string {
  return /^[a-z][a-z0-9.-]{0,63}$/.test(type) ? `"${type}"` : 'no event type';
}

/**
 * The event in the body of a message.
 *
 * @throws {@link UnreadableMessageError} when it is not JSON, not of a known type, or invalid. It does not quote the body, which may hold personal data.
 */
export function parseEvent(body: string): Event {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new UnreadableMessageError(`The body (${body.length} characters) is not JSON`);
  }
  const parsed = event.safeParse(value);
  if (parsed.success) return parsed.data;
  if (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    !knownTypes.has(value.type)
  ) {
    throw new UnreadableMessageError(
      `The type is ${shownType(value.type)}; this worker takes ${[...knownTypes].join(', ')}`,
    );
  }
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'the body');
  throw new UnreadableMessageError(
    `The body is not a valid event: wrong or missing: ${[...new Set(fields)].join(', ')}`,
  );
}
