import { byLabel, type MetricDefinition, single } from './definition.ts';

/** Events on their way from the outbox to the queue. */
export const queueMetrics: readonly MetricDefinition[] = [
  {
    name: 'queue_events_total',
    type: 'counter',
    labels: ['result'],
    help: 'Events that the queue took, and those that it refused one by one; a refused one is sent again.',
    read: ({ dispatcher: { counts } }) =>
      byLabel('result', { sent: counts.sent, refused: counts.refused }),
  },
  {
    name: 'queue_send_failures_total',
    type: 'counter',
    help: 'Batches that the queue did not take, or did not answer; their events wait in the outbox.',
    read: ({ dispatcher }) => single(dispatcher.counts.failedSends),
  },
  {
    name: 'queue_events_held',
    type: 'gauge',
    help: 'Events of this process that wait to be sent.',
    read: ({ dispatcher }) => single(dispatcher.held),
  },
  {
    name: 'queue_up',
    type: 'gauge',
    help: '1 while the queue takes what it is given, 0 after it has not.',
    read: ({ dispatcher }) => single(dispatcher.isUp ? 1 : 0),
  },
  {
    name: 'outbox_events',
    type: 'gauge',
    help: 'Events in the outbox, of all processes together and counted up to 10,000; every process has the same number. Absent while the database does not answer.',
    read: async ({ outbox }) => {
      const depth = await outbox.depth();
      return depth === null ? [] : single(depth.events);
    },
  },
  {
    name: 'outbox_overdue_seconds',
    type: 'gauge',
    help: 'How long the event that waits longest has been left behind: above some 30 s, events do not get through.',
    read: async ({ outbox }) => {
      const depth = await outbox.depth();
      return depth === null ? [] : single(depth.overdueSeconds);
    },
  },
];
