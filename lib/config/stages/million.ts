import type { StageDefinition } from '../stage.ts';

/** A million requests per second at the edge: what production would have to become, and what it would cost. */
export const million: StageDefinition = {
  name: 'million',
  region: 'us-east-2',
  availabilityZones: ['a', 'b', 'c'],
  workload: {
    peakRequestsPerSecond: 1_000_000,
    averagePercent: 40,
    readPercent: 98,
    edgeCacheablePercent: 60,
    payloadBytes: 300,
    users: 100_000_000,
    createPercent: 2,
    loginPercent: 0.1,
    growthPercentPerYear: 0,
  },
  policy: {
    availabilityPercent: 99.95,
    protection: 'protected',
    spendCeilingDollars: 3_000_000,
    retention: { logDays: 30, databaseBackupDays: 35, cacheSnapshotDays: 7, accessLogDays: 90 },
    contacts: { page: [], ticket: [] },
    email: {
      domain: 'million.headroom.example',
      sender: 'Headroom <no-reply@million.headroom.example>',
    },
    network: {
      addressRange: '10.3.0.0/16',
      natGateways: 'each-zone',
      interfaceEndpoints: 'where-cheaper',
    },
    database: { mode: 'provisioned', ioOptimized: 'where-cheaper', insights: 'advanced' },
    cacheEngine: 'valkey',
    spotPercent: 30,
    scaling: 'targets',
    events: [],
    // A shield would cost a quarter of the bill, and spare tasks that cost a thousandth of it.
    edge: { priceClass: 'all', originShield: false },
    // To be asked for before the first deployment, CloudFront's with months of notice.
    grantedQuotas: {
      'L-3032A538': 500,
      'L-36FBB829': 200,
      'L-CDEF9B6B': 500,
      'L-804C8AE8': 20_000_000,
      'cloudfront-requests-per-second': 1_000_000,
    },
  },
};
