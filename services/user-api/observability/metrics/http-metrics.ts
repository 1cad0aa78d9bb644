import { type MetricDefinition, single } from './definition.ts';

/** Requests, by the pattern of their route; `none` where none matched. */
export const httpMetrics: readonly MetricDefinition[] = [
  {
    name: 'http_server_requests_total',
    type: 'counter',
    labels: ['method', 'route', 'status'],
    help: 'Requests that have ended; status 499 is a client that did not wait for the response.',
    read: ({ requests }) =>
      [...requests.series()].flatMap(({ method, route, series }) =>
        [...series.statuses].map(([status, value]) => ({
          labels: { method, route, status },
          value,
        })),
      ),
  },
  {
    name: 'http_server_request_duration_seconds',
    type: 'histogram',
    labels: ['method', 'route'],
    help: 'From the first bytes of a request until its response is sent.',
    read: ({ requests }) =>
      [...requests.series()].map(({ method, route, series }) => ({
        labels: { method, route },
        durations: series.durations,
      })),
  },
  {
    name: 'http_server_problems_total',
    type: 'counter',
    labels: ['route', 'problem'],
    help: 'Responses with a problem, by its type in /problems: errors of clients and of ours.',
    read: ({ requests }) =>
      [...requests.problems()].map(({ route, problem, count }) => ({
        labels: { route, problem },
        value: count,
      })),
  },
  {
    name: 'http_server_requests_in_flight',
    type: 'gauge',
    help: 'Requests whose response is not sent yet.',
    read: ({ server }) => single(server.requestsInFlight),
  },
  {
    name: 'http_server_connections',
    type: 'gauge',
    help: 'Connections that are open, in use or idle.',
    read: ({ server }) => single(server.connections),
  },
];
