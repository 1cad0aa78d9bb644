import type { PasswordResetRequested } from '../../contracts/events.ts';
import { EVENT_SOURCE, traceExtension } from '../queue/events.ts';

/** @param time - when it happened, RFC 3339 in UTC. */
export function passwordResetRequestedEvent(
  id: string,
  time: string,
  data: PasswordResetRequested['data'],
): PasswordResetRequested {
  return {
    specversion: '1.0',
    id,
    source: EVENT_SOURCE,
    type: 'user.password-reset-requested',
    time,
    datacontenttype: 'application/json',
    ...traceExtension(),
    data,
  };
}
