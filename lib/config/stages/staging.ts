import type { StageDefinition } from '../stage.ts';

/** Production's shape at a smaller size: what passes here has met replicas, failover and several zones. */
export const staging: StageDefinition = {
  name: 'staging',
  region: 'us-east-2',
  availabilityZones: ['a', 'b', 'c'],
  workload: {
    peakRequestsPerSecond: 500,
    averagePercent: 5,
    readPercent: 90,
    edgeCacheablePercent: 20,
    payloadBytes: 300,
    users: 1_000_000,
    createPercent: 10,
    loginPercent: 1,
    growthPercentPerYear: 0,
  },
  policy: {
    availabilityPercent: 99.5,
    protection: 'disposable',
    spendCeilingDollars: 2_000,
    retention: { logDays: 30, databaseBackupDays: 7, cacheSnapshotDays: 1, accessLogDays: 30 },
    contacts: { page: [], ticket: [] },
    email: {
      domain: 'staging.headroom.example',
      sender: 'Headroom <no-reply@staging.headroom.example>',
    },
    network: {
      addressRange: '10.1.0.0/16',
      natGateways: 'one',
      interfaceEndpoints: 'where-cheaper',
    },
    database: { mode: 'serverless', ioOptimized: 'where-cheaper', insights: 'standard' },
    cacheEngine: 'valkey',
    spotPercent: 50,
    // Production aims at targets; the steps are kept in use here.
    scaling: 'steps',
    events: [],
    edge: { priceClass: '100', originShield: false },
    // What SES grants an account that leaves its sandbox: 14 emails a second, 50,000 a day.
    grantedQuotas: { 'L-CDEF9B6B': 14, 'L-804C8AE8': 50_000 },
  },
};
