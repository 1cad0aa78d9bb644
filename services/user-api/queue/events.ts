import type { UserCreated } from '../../contracts/events.ts';

/** The `source` of this service's events. */
export const EVENT_SOURCE = '/user-api';

/** @param time - when it happened, RFC 3339 in UTC. */
export function userCreatedEvent(id: string, time: string, data: UserCreated['data']): UserCreated {
  return {
    specversion: '1.0',
    id,
    source: EVENT_SOURCE,
    type: 'user.created',
    time,
    datacontenttype: 'application/json',
    data,
  };
}
