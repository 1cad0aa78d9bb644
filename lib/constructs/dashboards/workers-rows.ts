import type { SystemMetrics } from './system-metrics.ts';
import { graph, note, type Row, text } from './widgets.ts';

/** Each worker with its queue. */
export function workersRows({ stage, workers }: SystemMetrics): readonly Row[] {
  const { alarms, size } = stage;
  const rows = Object.entries(workers).flatMap(([name, metrics]): readonly Row[] => [
    [text(`## Worker: ${name}`)],
    [
      graph({
        title: 'Age of the oldest message',
        metrics: [metrics.age],
        unit: 'seconds',
        limit: alarms.queueAgeSeconds,
      }),
      graph({
        title: 'Messages that wait, and that failed for good',
        metrics: [metrics.waiting, metrics.deadLetters],
        unit: 'messages',
      }),
      graph({
        title: 'Failed and refused invocations',
        metrics: [metrics.errors, metrics.throttles],
        unit: 'per minute',
      }),
    ],
    [
      graph({ title: 'Invocations', metrics: [metrics.invocations], unit: 'per minute' }),
      graph({
        title: 'Invocations at once',
        metrics: [metrics.concurrency],
        unit: 'invocations',
        limit: size.workerConcurrency[name],
        limitLabel: 'most',
      }),
      graph({ title: 'Duration of 95 %', metrics: [metrics.duration], unit: 'milliseconds' }),
    ],
  ]);
  return [
    ...rows,
    [
      note(
        'A message that fails is tried again after its visibility timeout, and goes to the dead-letter queue after five tries. A failed invocation is one that failed as a whole: single messages that fail do not show there.',
      ),
    ],
  ];
}
