import type { StageDefinition } from '../stage.ts';

/** Survives the loss of a zone without a person's help, and cannot be deleted by mistake. */
export const production: StageDefinition = {
  name: 'production',
  region: 'us-east-2',
  availabilityZones: ['a', 'b', 'c'],
  workload: {
    peakRequestsPerSecond: 5_000,
    averagePercent: 30,
    readPercent: 95,
    edgeCacheablePercent: 30,
    payloadBytes: 300,
    users: 5_000_000,
    createPercent: 5,
    loginPercent: 0.5,
    growthPercentPerYear: 50,
  },
  policy: {
    availabilityPercent: 99.9,
    protection: 'protected',
    spendCeilingDollars: 25_000,
    retention: { logDays: 90, databaseBackupDays: 35, cacheSnapshotDays: 7, accessLogDays: 365 },
    contacts: { page: [], ticket: [] },
    email: { domain: 'headroom.example', sender: 'Headroom <no-reply@headroom.example>' },
    network: {
      addressRange: '10.2.0.0/16',
      natGateways: 'each-zone',
      interfaceEndpoints: 'where-cheaper',
    },
    database: { mode: 'serverless', ioOptimized: 'where-cheaper', insights: 'advanced' },
    cacheEngine: 'valkey',
    spotPercent: 0,
    scaling: 'targets',
    events: [
      {
        name: 'sale-day',
        from: '2027-11-26T00:00:00Z',
        until: '2027-11-27T06:00:00Z',
        peakFactor: 4,
      },
    ],
    // A shield is paid for by request, and would cost twenty times the tasks that it spares.
    edge: { priceClass: 'all', originShield: false },
    // To be asked for before the first deployment; `npm run plan` prints what of each the stage may need.
    grantedQuotas: {
      'L-3032A538': 100,
      'L-CDEF9B6B': 100,
      'L-804C8AE8': 1_000_000,
    },
  },
};
