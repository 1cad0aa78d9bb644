import type { StageDefinition } from '../stage.ts';

/** As cheap as the whole system goes: two zones, one NAT gateway, smallest sizes, nothing kept for long. */
export const dev: StageDefinition = {
  name: 'dev',
  region: 'us-east-2',
  availabilityZones: ['a', 'b'],
  workload: {
    peakRequestsPerSecond: 20,
    averagePercent: 5,
    readPercent: 80,
    edgeCacheablePercent: 0,
    payloadBytes: 300,
    users: 10_000,
    // As many emails a day as SES sends for an account that is still in its sandbox.
    createPercent: 1,
    loginPercent: 2,
    growthPercentPerYear: 0,
  },
  policy: {
    availabilityPercent: 95,
    protection: 'disposable',
    spendCeilingDollars: 500,
    retention: { logDays: 7, databaseBackupDays: 1, cacheSnapshotDays: 0, accessLogDays: 7 },
    contacts: { page: [], ticket: [] },
    email: { domain: 'dev.headroom.example', sender: 'Headroom <no-reply@dev.headroom.example>' },
    network: {
      addressRange: '10.0.0.0/16',
      natGateways: 'one',
      interfaceEndpoints: 'where-cheaper',
    },
    database: { mode: 'serverless', ioOptimized: 'where-cheaper', insights: 'standard' },
    cacheEngine: 'valkey',
    // A task that AWS takes back interrupts nobody's work here.
    spotPercent: 100,
    scaling: 'targets',
    events: [],
    edge: { priceClass: '100', originShield: false },
  },
};
