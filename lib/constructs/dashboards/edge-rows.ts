import type { SystemMetrics } from './system-metrics.ts';
import { graph, note, type Row, text } from './widgets.ts';

/** CloudFront and the firewall before it. */
export function edgeRows({ stage, edge }: SystemMetrics): readonly Row[] {
  const { alarms } = stage;
  const { delivery, firewall } = edge;
  return [
    [text('## CloudFront')],
    [
      graph({ title: 'Requests', metrics: [delivery.requests], unit: 'per minute' }),
      graph({
        title: 'Answered 5xx',
        metrics: [delivery.errorRate],
        unit: 'percent',
        limit: alarms.errorRatePercent,
      }),
      graph({ title: 'Answered 4xx', metrics: [delivery.clientErrorRate], unit: 'percent' }),
    ],
    [
      note(
        'A 5xx here that the load balancer does not show is CloudFront’s own: it did not reach the load balancer, or waited too long for it.\n\n' +
          'Answers from CloudFront’s cache are in these rates and not in the API’s, so the same failure looks smaller here.',
      ),
      graph({
        title: 'Bytes to clients',
        metrics: [delivery.bytesDownloaded],
        unit: 'bytes per minute',
      }),
    ],
    [text('## Firewall')],
    [
      graph({
        title: 'Blocked',
        metrics: [firewall.blocked],
        unit: 'requests per minute',
        limit: alarms.blockedRequestsPerMinute,
      }),
      graph({ title: 'Allowed', metrics: [firewall.allowed], unit: 'requests per minute' }),
      note(
        'Blocked requests never reach CloudFront’s cache or the API, and are not in their graphs. Which rule blocked whom is in the log group that begins with `aws-waf-logs-`.',
      ),
    ],
  ];
}
