import type { UserCreated } from '../../contracts/events.ts';
import { currentTraceParent } from '../../contracts/tracing/trace-context.ts';

/** The `source` of this service's events. */
export const EVENT_SOURCE = '/user-api';

/** The trace of the running code, as an event carries it; nothing where there is none. */
export function traceExtension(): { readonly traceparent?: string } {
  const traceparent = currentTraceParent();
  return traceparent === null ? {} : { traceparent };
}

/** @param time - when it happened, RFC 3339 in UTC. */
export function userCreatedEvent(id: string, time: string, data: UserCreated['data']): UserCreated {
  return {
    specversion: '1.0',
    id,
    source: EVENT_SOURCE,
    type: 'user.created',
    time,
    datacontenttype: 'application/json',
    ...traceExtension(),
    data,
  };
}
