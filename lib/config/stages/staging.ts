import type { StageConfiguration } from '../stage.ts';

/** Production's shape at a smaller size: what passes here has met replicas, failover and several zones. */
export const staging: StageConfiguration = {
  name: 'staging',
  region: 'us-east-2',
  availabilityZones: ['a', 'b', 'c'],
  protection: 'disposable',
  logRetentionDays: 30,
  contacts: { page: [], ticket: [] },
  email: {
    domain: 'staging.headroom.example',
    sender: 'Headroom <no-reply@staging.headroom.example>',
  },
  size: {
    network: { addressRange: '10.1.0.0/16', natGateways: 1 },
    database: {
      minimumCapacityUnits: 1,
      maximumCapacityUnits: 8,
      readers: 1,
      backupRetentionDays: 7,
    },
    cache: { engine: 'valkey', nodeType: 'cache.t4g.small', replicas: 1, snapshotRetentionDays: 1 },
    service: {
      cpuUnits: 512,
      memoryMebibytes: 1_024,
      minimumTasks: 2,
      maximumTasks: 10,
      cpuTargetPercent: 70,
      requestsPerTaskPerMinute: 60_000,
      databasePoolSize: 10,
    },
    edge: { priceClass: '100', requestsPerAddress: 10_000 },
  },
  alarms: {
    errorRatePercent: 5,
    errorRateMinimumRequests: 60,
    latencySeconds: 1,
    cpuPercent: 80,
    queueAgeSeconds: 600,
  },
};
