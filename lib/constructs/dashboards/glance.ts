import type { SystemMetrics } from './system-metrics.ts';
import { graph, note, type Row, text } from './widgets.ts';

const PERCENT = 100;

/** The four golden signals (latency, traffic, errors, saturation) of all services: https://sre.google/sre-book/monitoring-distributed-systems/. */
function goldenSignals(metrics: SystemMetrics): readonly Row[] {
  const { stage, edge, loadBalancer, database } = metrics;
  const { alarms } = stage;
  const services = Object.values(metrics.services);
  return [
    [text('## Golden signals: what users ask for, and what they get')],
    [
      graph({
        title: 'Traffic: at the edge, and past it',
        metrics: [edge.delivery.requests, loadBalancer.requests],
        unit: 'requests per minute',
      }),
      graph({
        title: 'Errors: answered 5xx by the load balancer and the services',
        metrics: [loadBalancer.errorRate],
        unit: 'percent',
        limit: alarms.errorRatePercent,
      }),
      graph({
        title: 'Latency past the edge: 95 % are faster',
        metrics: services.map(({ latency }) => latency.p95),
        unit: 'seconds',
        limit: alarms.latencySeconds,
      }),
    ],
    [
      graph({
        title: 'Saturation: CPU of the tasks',
        metrics: services.map(({ cpu }) => cpu),
        unit: 'percent',
        limit: alarms.cpuPercent,
      }),
      graph({
        title: 'Saturation: CPU of the database',
        metrics: [database.writerCpu, database.readerCpu],
        unit: 'percent',
        limit: alarms.cpuPercent,
      }),
      graph({
        title: 'Saturation: oldest message of each queue',
        metrics: Object.values(metrics.workers).map(({ age }) => age),
        unit: 'seconds',
        limit: alarms.queueAgeSeconds,
      }),
    ],
  ];
}

function objective({ stage, loadBalancer }: SystemMetrics): readonly Row[] {
  const { availabilityPercent } = stage.alarms;
  const budget = Number((PERCENT - availabilityPercent).toFixed(3));
  return [
    [text('## Objective')],
    [
      note(
        `**${availabilityPercent} % of the requests of a month do not fail**: ${budget} % may, the error budget.\n\n` +
          'A day over the line burns the budget faster than it comes in; a day under it saves some. ' +
          'FastBurn and SlowBurn page when a month’s share goes in hours, LastingBurn makes a ticket when it goes in days.',
      ),
      graph({
        title: 'Failed requests, the day before each point',
        metrics: [loadBalancer.errorRateOfDay],
        unit: 'percent',
        limit: budget,
        limitLabel: 'budget',
      }),
    ],
  ];
}

function costDrivers(metrics: SystemMetrics): readonly Row[] {
  const { stage, edge, loadBalancer, database } = metrics;
  const serverless = stage.size.database.mode === 'serverless';
  return [
    [text('## Cost drivers: what the bill grows with')],
    [
      note(
        `The month’s budget is **${stage.monthlyBudgetDollars} dollars**. ` +
          'What is paid by the hour whatever the load (NAT gateways, cache nodes, endpoints) is in `npm run plan`, not here.\n\n' +
          'Bytes to clients and requests are CloudFront’s; a load balancer capacity unit is the largest of new connections, connections, bytes and rules.',
      ),
      graph({
        title: 'Bytes to clients',
        metrics: [edge.delivery.bytesDownloaded],
        unit: 'bytes per minute',
      }),
      graph({
        title: 'Load balancer capacity units',
        metrics: [loadBalancer.consumedUnits],
        unit: 'units',
      }),
    ],
    [
      graph({
        title: 'Tasks',
        metrics: Object.values(metrics.services).map(({ runningTasks }) => runningTasks),
        unit: 'tasks',
      }),
      ...(serverless
        ? [
            graph({
              title: 'Database capacity of an instance',
              metrics: [database.capacityUnits],
              unit: 'capacity units',
            }),
          ]
        : [graph({ title: 'Data', metrics: [database.storage], unit: 'bytes' })]),
      graph({
        title: 'Invocations of the workers',
        metrics: Object.values(metrics.workers).map(({ invocations }) => invocations),
        unit: 'per minute',
      }),
    ],
  ];
}

/** One look at the whole system. */
export function glanceRows(metrics: SystemMetrics): readonly Row[] {
  return [...goldenSignals(metrics), ...objective(metrics), ...costDrivers(metrics)];
}
