import { expect, it } from 'vitest';
import { inTrace } from '../../../../services/contracts/tracing/trace-context.ts';
import { formatTraceParent } from '../../../../services/contracts/tracing/trace-parent.ts';
import { eventEnvelope } from '../../../../services/user-api/queue/outbox.ts';

const create = () => eventEnvelope('an id', '2026-01-02T03:04:05.678Z');

const envelope = {
  specversion: '1.0',
  id: 'an id',
  source: '/user-api',
  time: '2026-01-02T03:04:05.678Z',
  datacontenttype: 'application/json',
};

it('names no trace where the running code has none', () => {
  expect(create()).toEqual(envelope);
});

it('names the trace of the running code', () => {
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  expect(inTrace(parent, create)).toEqual({ ...envelope, traceparent: formatTraceParent(parent) });
});
