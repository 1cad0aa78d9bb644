import type { StageConfiguration } from '../stage.ts';

/** Survives the loss of a zone without a person's help, and cannot be deleted by mistake. */
export const production: StageConfiguration = {
  name: 'production',
  region: 'us-east-2',
  availabilityZones: ['a', 'b', 'c'],
  protection: 'protected',
  logRetentionDays: 90,
  contacts: { page: [], ticket: [] },
  email: { domain: 'headroom.example', sender: 'Headroom <no-reply@headroom.example>' },
  size: {
    network: { addressRange: '10.2.0.0/16', natGateways: 3 },
    database: {
      minimumCapacityUnits: 2,
      maximumCapacityUnits: 64,
      readers: 2,
      backupRetentionDays: 35,
    },
    cache: { engine: 'valkey', nodeType: 'cache.r7g.large', replicas: 2, snapshotRetentionDays: 7 },
    service: {
      cpuUnits: 1_024,
      memoryMebibytes: 2_048,
      minimumTasks: 3,
      maximumTasks: 60,
      cpuTargetPercent: 70,
      requestsPerTaskPerMinute: 120_000,
      databasePoolSize: 10,
    },
    edge: { priceClass: 'all', requestsPerAddress: 10_000 },
  },
  alarms: {
    errorRatePercent: 5,
    errorRateMinimumRequests: 100,
    latencySeconds: 1,
    cpuPercent: 80,
    queueAgeSeconds: 300,
  },
};
