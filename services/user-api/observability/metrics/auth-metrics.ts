import { byLabel, type MetricDefinition } from './definition.ts';

/**
 * Who asks. How logins end is in `http_server_requests_total` and `http_server_problems_total`, by their routes.
 */
export const authMetrics: readonly MetricDefinition[] = [
  {
    name: 'auth_requests_total',
    type: 'counter',
    labels: ['credentials'],
    help: 'Requests by what they came with: nothing (anonymous), an access token (user), an API key, or credentials that are not good (refused).',
    read: ({ admission }) => byLabel('credentials', admission.counts),
  },
  {
    name: 'auth_password_hashes',
    type: 'gauge',
    labels: ['state'],
    help: 'Passwords that are being hashed or verified, and those that wait for it.',
    read: ({ hasher: { load } }) =>
      byLabel('state', { running: load.running, waiting: load.waiting }),
  },
];
