import type { SystemMetrics } from './system-metrics.ts';
import { graph, note, type Row, text } from './widgets.ts';

/** The load balancer, and each service behind it. */
export function apiRows({ stage, loadBalancer, services }: SystemMetrics): readonly Row[] {
  const { alarms, size } = stage;
  const rows: Row[] = [
    [text('## Load balancer')],
    [
      graph({
        title: 'Answered 5xx, by the services or in their place',
        metrics: [loadBalancer.errorRate],
        unit: 'percent',
        limit: alarms.errorRatePercent,
      }),
      graph({
        title: 'Connections that failed',
        metrics: [loadBalancer.rejectedConnections, loadBalancer.targetConnectionErrors],
        unit: 'per minute',
        limit: 0,
      }),
      note(
        `Under ${alarms.errorRateMinimumRequests} requests a minute the error rate is drawn as 0: one failure of two is not an outage.\n\n` +
          'The load balancer counts a request when it has found a task for it. Without a healthy task it responds with 503 and counts none, so the errors are then the requests.',
      ),
    ],
  ];
  for (const [name, metrics] of Object.entries(services)) {
    const { p50, p95, p99 } = metrics.latency;
    rows.push(
      [text(`## Service: ${name}. Latency is the load balancer’s, in seconds.`)],
      [
        graph({ title: 'Requests', metrics: [metrics.requests], unit: 'per minute' }),
        graph({
          title: 'Answered 5xx',
          metrics: [metrics.errorRate],
          unit: 'percent',
          limit: alarms.errorRatePercent,
        }),
        graph({
          title: 'Latency',
          metrics: [p50, p95, p99],
          unit: 'seconds',
          limit: alarms.latencySeconds,
        }),
      ],
      [
        graph({
          title: 'CPU',
          metrics: [metrics.cpu],
          unit: 'percent',
          limit: alarms.cpuPercent,
        }),
        graph({
          title: 'Memory',
          metrics: [metrics.memory],
          unit: 'percent',
          limit: alarms.memoryPercent,
        }),
        graph({
          title: 'Tasks',
          metrics: [
            metrics.healthyTasks,
            metrics.unhealthyTasks,
            metrics.desiredTasks,
            metrics.runningTasks,
          ],
          unit: 'tasks',
          limit: metrics.maximumTasks,
          limitLabel: 'maximum',
        }),
      ],
      [
        graph({ title: 'Tasks that failed', metrics: [metrics.failedTasks], unit: 'in 5 minutes' }),
        note(
          `CPU is aimed at ${size.service.cpuTargetPercent} %: above it for long, scaling is at its maximum or new tasks do not become healthy.\n\n` +
            `Why tasks failed is in the log group \`/aws/events/headroom-${stage.name}\`.`,
        ),
      ],
    );
  }
  return rows;
}
