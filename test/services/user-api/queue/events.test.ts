import { expect, it } from 'vitest';
import { inTrace } from '../../../../services/contracts/tracing/trace-context.ts';
import { formatTraceParent } from '../../../../services/contracts/tracing/trace-parent.ts';
import { userCreatedEvent } from '../../../../services/user-api/queue/events.ts';

const create = () => userCreatedEvent('an id', '2026-01-02T03:04:05.678Z', { userId: 7 });

const event = {
  specversion: '1.0',
  id: 'an id',
  source: '/user-api',
  type: 'user.created',
  time: '2026-01-02T03:04:05.678Z',
  datacontenttype: 'application/json',
  data: { userId: 7 },
};

it('names no trace where the running code has none', () => {
  expect(create()).toEqual(event);
});

it('names the trace of the running code', () => {
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  expect(inTrace(parent, create)).toEqual({ ...event, traceparent: formatTraceParent(parent) });
});
